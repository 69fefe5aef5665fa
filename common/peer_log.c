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

static void say(enum peer peer, GLogLevelFlags level, const char *format, va_list args)
{
	unsigned missed = 0;
	g_assert(peer < PEERS);
	if (!take_token(peer, &missed))
		return;
	g_autofree char *text = g_strdup_vprintf(format, args);
	if (missed > 0)
		g_log(G_LOG_DOMAIN, level, "%s (%u more like it not logged)", text, missed);
	else
		g_log(G_LOG_DOMAIN, level, "%s", text);
}

void peer_message(enum peer peer, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say(peer, G_LOG_LEVEL_MESSAGE, format, args);
	va_end(args);
}

void peer_warning(enum peer peer, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say(peer, G_LOG_LEVEL_WARNING, format, args);
	va_end(args);
}
