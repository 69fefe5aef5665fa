/* SPDX-License-Identifier: MIT */
#include "render/commands/growth.h"

#include <glib.h>

#include "render/quota/heap.h"
#include "render/quota/quota.h"

/*
 * This much must have gone since the heap was largest before it is trimmed: so much lies about in
 * any case.
 */
#define TRIM_BYTES (16 << 20)

struct growth {
	bool (*read)(struct heap_use *use);
	int64_t heap_bytes, counted_bytes; /* when it was measured last */
	int64_t stray_bytes;               /* has come, or gone if below 0, while nobody drew */
	uint64_t n_taken;                  /* when it was measured last */
	uint64_t n_taken_at_once;          /* between the last two times */
	int64_t most_bytes;                /* of the heap, since it was trimmed */
};

struct growth *growth_create(bool (*read)(struct heap_use *use))
{
	struct growth *growth = g_new0(struct growth, 1);
	struct heap_use use;
	growth->read = read;
	if (read(&use))
		growth->heap_bytes = growth->most_bytes = use.bytes;
	return growth;
}

void growth_destroy(struct growth *growth)
{
	g_free(growth);
}

/*
 * Returns what the guest's quotas count of the heap. Heads' pictures do not lie there.
 */
static int64_t get_counted_bytes(const struct quota_account *guest)
{
	return (int64_t)(guest->quotas[QUOTA_TEXTURE_BYTES].used +
			 guest->quotas[QUOTA_OTHER_BYTES].used);
}

/* Returns how much more there is than when it was measured last, beyond what quotas count. */
static int64_t measure(struct growth *growth, const struct quota_account *guest)
{
	struct heap_use use;
	if (!growth->read(&use))
		return 0;
	int64_t heap_bytes = growth->heap_bytes, counted_bytes = growth->counted_bytes;
	growth->heap_bytes = use.bytes;
	growth->n_taken_at_once = use.n_taken - growth->n_taken;
	growth->n_taken = use.n_taken;
	growth->most_bytes = MAX(growth->most_bytes, use.bytes);
	growth->counted_bytes = get_counted_bytes(guest);
	return (use.bytes - heap_bytes) - (growth->counted_bytes - counted_bytes);
}

/* Gives back at most n; returns how much that was. */
static int64_t give_back(struct quota_account *context, int64_t n)
{
	int64_t used = (int64_t)context->quotas[QUOTA_PROGRAM_BYTES].used;
	int64_t given = CLAMP(n, 0, used);
	quota_give(context, QUOTA_PROGRAM_BYTES, (uint64_t)given);
	return given;
}

void growth_begin(struct growth *growth, const struct quota_account *guest)
{
	growth->stray_bytes += measure(growth, guest);
}

/*
 * What is stray is settled with whoever is at hand: if more has gone than come, he need not pay for
 * as much, or gets it back.
 */
static int64_t settle(struct growth *growth, int64_t bytes)
{
	int64_t gone = MIN(growth->stray_bytes, 0);
	growth->stray_bytes -= gone;
	return bytes + gone;
}

bool growth_charge(struct growth *growth, struct quota_account *context)
{
	int64_t bytes = settle(growth, measure(growth, context->guest));
	bool has_room = bytes <= 0 || quota_take(context, QUOTA_PROGRAM_BYTES, (uint64_t)bytes);
	if (!has_room)
		growth->stray_bytes += bytes;
	if (bytes < 0)
		growth->stray_bytes += bytes + give_back(context, -bytes);
	growth->counted_bytes = get_counted_bytes(context->guest);
	return has_room;
}

bool growth_has_compiled(const struct growth *growth)
{
	return growth->n_taken_at_once >= GROWTH_COMPILED_TAKEN;
}

void growth_trim(struct growth *growth)
{
	struct heap_use use;
	if (!growth->read(&use) || use.bytes > growth->most_bytes - TRIM_BYTES)
		return;
	heap_trim();
	growth->most_bytes = use.bytes;
}
