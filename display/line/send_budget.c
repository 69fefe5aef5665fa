/* SPDX-License-Identifier: MIT */
#include "display/line/send_budget.h"

#include <glib.h>

#define LOT_BYTES_MAX (64u << 20)
/* Drawn content which moves may take this share of the line, in percent, without loss. */
#define LOSSLESS_PERCENT 50u
/*
 * It may take at most this many bits per second on any line: full-screen GL at 1080p60 takes 156
 * Mbit/s without loss and 4 as video, for as much CPU and with a luma SSIM above 0.99
 * (bench-desktop, scene gl). Without a line pictures stay on this machine, which carries more.
 */
#define LOSSLESS_BPS_MAX 50000000u
#define LOSSLESS_BPS_LOCAL 400000000u
/* A far line that was never full is taken to carry this many bits per second. */
#define FAR_BPS_UNTRIED 10000000u
/*
 * spice-server begins to send what it was given within this many microseconds, unless the line is
 * busy.
 */
#define PUSH_US 2000

/* Returns the bytes that fill the round trip; only what is above them waits in a queue. */
static uint64_t flying_bytes(const struct line_figures *figures)
{
	return figures->rate_bps / 8 * figures->rtt_min_us / G_USEC_PER_SEC;
}

static uint64_t idle_bytes(const struct line_figures *figures)
{
	return flying_bytes(figures) + SEND_BUDGET_BUSY_BYTES;
}

static bool is_far(const struct line_figures *figures)
{
	return figures->rtt_min_us >= LINE_FAR_US;
}

uint64_t send_budget_mark(const struct line_figures *figures)
{
	uint64_t bytes = figures->rate_bps / 8 * SEND_BUDGET_AHEAD_US / G_USEC_PER_SEC;
	if (!figures->rate_is_floor)
		return MAX(bytes, SEND_BUDGET_BYTES_MIN);
	return MAX(2 * bytes, is_far(figures) ? SEND_BUDGET_BYTES_MIN : SEND_BUDGET_BYTES_UNTRIED);
}

/* Returns true when spice-server has sent something of the lot, and the line is ready for more. */
static bool has_drained(
	const struct send_budget *budget, int64_t now_us, const struct line_figures *figures)
{
	bool begun = figures->acked_bytes + figures->backlog_bytes > budget->left_bytes ||
		     now_us - budget->given_us >= PUSH_US;
	return begun && figures->backlog_bytes < idle_bytes(figures);
}

static void begin_lot(
	struct send_budget *budget, int64_t now_us, const struct line_figures *figures)
{
	bool quick = now_us - budget->lot_us <= SEND_BUDGET_AHEAD_US + (int64_t)figures->rtt_min_us;
	if (quick && 2 * budget->lot_bytes >= budget->lot_max)
		budget->lot_max *= 2;
	budget->lot_max = CLAMP(budget->lot_max, SEND_BUDGET_BYTES_MIN, LOT_BYTES_MAX);
	budget->lot_bytes = budget->over_bytes = 0;
	budget->left_bytes = figures->acked_bytes + figures->backlog_bytes;
}

static bool get_figures(struct send_budget *budget, struct line_figures *figures)
{
	if (budget->line && line_get(budget->line, budget->head, figures))
		return true;
	*budget = (struct send_budget){
		.line = budget->line, .head = budget->head, .lot_max = SEND_BUDGET_BYTES_UNTRIED
	};
	return false;
}

uint64_t send_budget_get(struct send_budget *budget, int64_t now_us, bool *again)
{
	struct line_figures figures;
	*again = false;
	if (!get_figures(budget, &figures))
		return SEND_BUDGET_UNLIMITED;
	if (has_drained(budget, now_us, &figures))
		begin_lot(budget, now_us, &figures);
	uint64_t lot_max = MIN(send_budget_mark(&figures), budget->lot_max);
	budget->full = budget->lot_bytes >= lot_max;
	if (!budget->full)
		return lot_max - budget->lot_bytes;
	*again = !line_wait_below(
		budget->line, budget->head, (uint32_t)MIN(idle_bytes(&figures), UINT32_MAX));
	return 0;
}

uint64_t send_budget_get_small(const struct send_budget *budget)
{
	return budget->over_bytes < SEND_BUDGET_OVER_BYTES ?
		       SEND_BUDGET_OVER_BYTES - budget->over_bytes :
		       0;
}

void send_budget_spend(struct send_budget *budget, int64_t now_us, uint64_t bytes)
{
	if (budget->full)
		budget->over_bytes += bytes;
	if (budget->lot_bytes == 0)
		budget->lot_us = now_us;
	budget->lot_bytes += bytes;
	budget->given_us = now_us;
}

uint64_t send_budget_lossless_bps(const struct send_budget *budget)
{
	struct line_figures figures;
	if (!budget->line || !line_get(budget->line, budget->head, &figures))
		return LOSSLESS_BPS_LOCAL;
	if (is_far(&figures) && figures.rate_is_floor)
		figures.rate_bps = MAX(figures.rate_bps, FAR_BPS_UNTRIED);
	else if (figures.rate_is_floor || figures.rate_bps == 0)
		return LOSSLESS_BPS_MAX;
	return MIN(figures.rate_bps * LOSSLESS_PERCENT / 100, LOSSLESS_BPS_MAX);
}
