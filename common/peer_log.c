/* SPDX-License-Identifier: MIT */
#include "common/peer_log.h"

#include <stdarg.h>
#include <stdbool.h>

/* This many lines come at once, and after that one in each interval. */
#define BURST 10
#define REFILL_US (5 * G_USEC_PER_SEC)

static GMutex lock;
static struct {
	unsigned used; /* of BURST */
	unsigned left_out;
	gint64 last_refill_us;
} peers[PEERS];

static bool take_token(enum peer peer, unsigned *missed)
{
	g_mutex_lock(&lock);
	gint64 now_us = g_get_monotonic_time();
	if (now_us - peers[peer].last_refill_us >= REFILL_US) {
		peers[peer].last_refill_us = now_us;
		peers[peer].used -= MIN(peers[peer].used, 1);
	}
	bool ok = peers[peer].used < BURST;
	if (ok) {
		peers[peer].used++;
		*missed = peers[peer].left_out;
		peers[peer].left_out = 0;
	} else {
		peers[peer].left_out++;
	}
	g_mutex_unlock(&lock);
	return ok;
}

void peer_warning(enum peer peer, const char *format, ...)
{
	g_assert(peer < PEERS);
	unsigned missed = 0;
	if (!take_token(peer, &missed))
		return;
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	if (missed > 0)
		g_warning("%s (%u more like it not logged)", text, missed);
	else
		g_warning("%s", text);
}
