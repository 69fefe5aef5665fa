/* SPDX-License-Identifier: MIT */
#include "display/tickets/delays.h"

#include <glib.h>
#include <stdbool.h>

#include "display/tickets/limits.h"

struct delays_network {
	uint64_t network;
	unsigned tries;   /* that were not right, as far as is known */
	unsigned empty;   /* of them; those before the last right one are forgiven */
	int64_t since_us; /* the last of them was forgotten, or the first one made */
	int64_t next_us;  /* when the next one may be compared */
	bool good;        /* the right password has come from here */
};

enum delays_line { LINE_CLEAN, LINE_FAILED, LINES };

struct delays {
	GHashTable *networks; /* network: struct delays_network */
	/* When the try after the last one may be compared, had there been no burst. */
	int64_t line_us[LINES];
};

struct delays *delays_create(void)
{
	struct delays *delays = g_new0(struct delays, 1);
	delays->networks = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
	return delays;
}

void delays_destroy(struct delays *delays)
{
	if (!delays)
		return;
	g_hash_table_unref(delays->networks);
	g_free(delays);
}

static void forget(struct delays_network *row, int64_t now_us)
{
	while (row->tries > 0 && now_us - row->since_us >= DELAYS_FORGET_US) {
		row->tries--;
		row->since_us += DELAYS_FORGET_US;
	}
}

/* What is worth less to remember: a network with fewer tries, one that is not known to be good. */
static bool is_lesser(const struct delays_network *one, const struct delays_network *other)
{
	if (one->tries != other->tries)
		return one->tries < other->tries;
	if (one->good != other->good)
		return other->good;
	return one->since_us < other->since_us;
}

static void make_room(struct delays *delays, int64_t now_us)
{
	GHashTableIter iter;
	struct delays_network *row, *least = NULL;
	g_hash_table_iter_init(&iter, delays->networks);
	while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&row)) {
		forget(row, now_us);
		if (!least || is_lesser(row, least))
			least = row;
	}
	g_hash_table_remove(delays->networks, &least->network);
}

static struct delays_network *find(struct delays *delays, uint64_t network, int64_t now_us)
{
	struct delays_network *row = g_hash_table_lookup(delays->networks, &network);
	if (row) {
		forget(row, now_us);
		return row;
	}
	if (g_hash_table_size(delays->networks) >= DELAYS_NETWORKS_MAX)
		make_room(delays, now_us);
	row = g_new0(struct delays_network, 1);
	row->network = network;
	g_hash_table_insert(delays->networks, &row->network, row);
	return row;
}

static int64_t delay_us(unsigned tries)
{
	if (tries <= DELAYS_FREE_TRIES)
		return 0;
	return MIN((int64_t)DELAYS_FIRST_US << (tries - DELAYS_FREE_TRIES - 1), DELAYS_LONGEST_US);
}

/* A line that has been quiet lets a burst through, then one try after the other. */
static int64_t line_slot_us(const struct delays *delays, enum delays_line line, int64_t now_us)
{
	return MAX(now_us,
		delays->line_us[line] - (int64_t)(DELAYS_ALL_BURST - 1) * DELAYS_ALL_EVERY_US);
}

int64_t delays_try(struct delays *delays, uint64_t network, int64_t now_us)
{
	const struct delays_network *known = g_hash_table_lookup(delays->networks, &network);
	enum delays_line line = known && known->tries > 0 ? LINE_FAILED : LINE_CLEAN;
	bool waits = !known || !known->good || known->tries > DELAYS_FREE_TRIES;
	int64_t slot_us = known ? MAX(now_us, known->next_us) : now_us;
	if (waits)
		slot_us = MAX(slot_us, line_slot_us(delays, line, now_us));
	if (slot_us - now_us > DELAYS_WAIT_MAX_US)
		return -1;
	struct delays_network *row = find(delays, network, now_us);
	if (row->tries == 0)
		row->since_us = now_us;
	row->tries = MIN(row->tries + 1, DELAYS_TRIES_MAX);
	row->next_us = slot_us + delay_us(row->tries);
	if (waits)
		delays->line_us[line] = MAX(delays->line_us[line], now_us) + DELAYS_ALL_EVERY_US;
	return slot_us;
}

void delays_empty(struct delays *delays, uint64_t network)
{
	struct delays_network *row = g_hash_table_lookup(delays->networks, &network);
	if (row)
		row->empty = MIN(row->empty + 1, DELAYS_TRIES_MAX);
}

void delays_right(struct delays *delays, uint64_t network, int64_t now_us)
{
	struct delays_network *row = find(delays, network, now_us);
	row->tries -= MIN(row->tries, 1 + row->empty);
	row->empty = 0;
	row->good = true;
}
