/* SPDX-License-Identifier: MIT */
#include "common/peer_log.h"

#include <stdarg.h>

#define BURST 10
#define REFILL_US (5 * G_USEC_PER_SEC)

static GMutex lock;
static unsigned tokens = BURST;
static unsigned left_out;
static gint64 last_refill_us;

static gboolean take_token(unsigned *missed)
{
	g_mutex_lock(&lock);
	gint64 now_us = g_get_monotonic_time();
	if (now_us - last_refill_us >= REFILL_US) {
		last_refill_us = now_us;
		tokens = MIN(tokens + 1, BURST);
	}
	gboolean ok = tokens > 0;
	if (ok) {
		tokens--;
		*missed = left_out;
		left_out = 0;
	} else {
		left_out++;
	}
	g_mutex_unlock(&lock);
	return ok;
}

void guest_warning(const char *format, ...)
{
	unsigned missed = 0;
	if (!take_token(&missed))
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
