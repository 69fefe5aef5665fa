/* SPDX-License-Identifier: MIT */
#include "display/line/send_budget.h"

#include <glib.h>

#define US_PER_SECOND 1000000u
#define LOT_BYTES_MAX (64u << 20)
/* Share of the line for drawn content that moves, in percent. */
#define LOSSLESS_PERCENT 50u
/*
 * And no more on any: full-screen GL at 1080p60 takes 156 Mbit/s without loss, as video 4, for as
 * much CPU and a luma SSIM above 0.99 (bench-desktop, scene gl). Where no line is known pictures
 * stay on this machine.
 */
#define LOSSLESS_BPS_MAX 50000000u
#define LOSSLESS_BPS_LOCAL 400000000u
/* What is thought of a far line that was never full. */
#define FAR_BPS_UNTRIED 10000000u
/* spice-server begins to send what it was given within this time, unless the line is busy. */
#define PUSH_US 2000

/* What flies through the round trip is no queue. */
static uint64_t flying_bytes(const struct line_figures *figures)
{
	return figures->rate_bps / 8 * figures->rtt_min_us / US_PER_SECOND;
}

static uint64_t idle_bytes(const struct line_figures *figures)
{
	return flying_bytes(figures) + PACE_BUSY_BYTES;
}

static bool is_far(const struct line_figures *figures)
{
	return figures->rtt_min_us >= LINE_FAR_US;
}

uint64_t pace_mark(const struct line_figures *figures)
{
	uint64_t bytes = figures->rate_bps / 8 * PACE_AHEAD_US / US_PER_SECOND;
	if (!figures->rate_is_floor)
		return MAX(bytes, PACE_BYTES_MIN);
	return MAX(2 * bytes, is_far(figures) ? PACE_BYTES_MIN : PACE_BYTES_UNTRIED);
}

/* Has spice-server sent something of the lot, and does the line want more? */
static bool has_drained(const struct pace *pace, int64_t now_us, const struct line_figures *figures)
{
	bool begun = figures->acked_bytes + figures->backlog_bytes > pace->left_bytes ||
		     now_us - pace->given_us >= PUSH_US;
	return begun && figures->backlog_bytes < idle_bytes(figures);
}

static void begin_lot(struct pace *pace, int64_t now_us, const struct line_figures *figures)
{
	bool quick = now_us - pace->lot_us <= PACE_AHEAD_US + (int64_t)figures->rtt_min_us;
	if (quick && 2 * pace->lot_bytes >= pace->lot_max)
		pace->lot_max *= 2;
	pace->lot_max = CLAMP(pace->lot_max, PACE_BYTES_MIN, LOT_BYTES_MAX);
	pace->lot_bytes = pace->over_bytes = 0;
	pace->left_bytes = figures->acked_bytes + figures->backlog_bytes;
}

static bool get_figures(struct pace *pace, struct line_figures *figures)
{
	if (pace->line && line_get(pace->line, pace->head, figures))
		return true;
	*pace = (struct pace){
		.line = pace->line, .head = pace->head, .lot_max = PACE_BYTES_UNTRIED
	};
	return false;
}

uint64_t pace_budget(struct pace *pace, int64_t now_us, bool *again)
{
	struct line_figures figures;
	*again = false;
	if (!get_figures(pace, &figures))
		return PACE_UNLIMITED;
	if (has_drained(pace, now_us, &figures))
		begin_lot(pace, now_us, &figures);
	uint64_t lot_max = MIN(pace_mark(&figures), pace->lot_max);
	pace->full = pace->lot_bytes >= lot_max;
	if (!pace->full)
		return lot_max - pace->lot_bytes;
	*again = !line_wait_below(
		pace->line, pace->head, (uint32_t)MIN(idle_bytes(&figures), UINT32_MAX));
	return 0;
}

uint64_t pace_small_budget(const struct pace *pace)
{
	return pace->over_bytes < PACE_OVER_BYTES ? PACE_OVER_BYTES - pace->over_bytes : 0;
}

void pace_gave(struct pace *pace, int64_t now_us, uint64_t bytes)
{
	if (pace->full)
		pace->over_bytes += bytes;
	if (pace->lot_bytes == 0)
		pace->lot_us = now_us;
	pace->lot_bytes += bytes;
	pace->given_us = now_us;
}

uint64_t pace_lossless_bps(const struct pace *pace)
{
	struct line_figures figures;
	if (!pace->line || !line_get(pace->line, pace->head, &figures))
		return LOSSLESS_BPS_LOCAL;
	if (is_far(&figures) && figures.rate_is_floor)
		figures.rate_bps = MAX(figures.rate_bps, FAR_BPS_UNTRIED);
	else if (figures.rate_is_floor || figures.rate_bps == 0)
		return LOSSLESS_BPS_MAX;
	return MIN(figures.rate_bps * LOSSLESS_PERCENT / 100, LOSSLESS_BPS_MAX);
}
