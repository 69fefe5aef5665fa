/* SPDX-License-Identifier: MIT */
#include "display/line/line_rate.h"

#include <glib.h>

/* A new measurement counts for one part in this many: the kernel's, and a span's that carried more.
 */
#define KERNEL_SMOOTHING 4
#define CARRIED_SMOOTHING 2

/*
 * When the sender ran out of bytes, the kernel's rate says how few there were, not what the line
 * can carry. Then it counts only when it is higher.
 */
static void note_kernel(struct line_rate *rate, const struct line_rate_sample *sample)
{
	if (sample->kernel_bps == 0 || sample->acked_bytes == rate->kernel_acked_bytes)
		return;
	rate->kernel_acked_bytes = sample->acked_bytes;
	if (!sample->app_limited) {
		bool first = rate->kernel_bps == 0 || rate->is_floor;
		rate->kernel_bps = first ? sample->kernel_bps :
					   rate->kernel_bps - rate->kernel_bps / KERNEL_SMOOTHING +
						   sample->kernel_bps / KERNEL_SMOOTHING;
		rate->is_floor = false;
	} else if (sample->kernel_bps > rate->kernel_bps) {
		rate->is_floor |= rate->kernel_bps == 0;
		rate->kernel_bps = sample->kernel_bps;
	}
}

static void begin_span(
	struct line_rate *rate, int64_t now_us, const struct line_rate_sample *sample)
{
	rate->since_us = now_us;
	rate->since_acked_bytes = sample->acked_bytes;
	rate->least_backlog_bytes = sample->backlog_bytes;
}

static void end_span(struct line_rate *rate, int64_t now_us, const struct line_rate_sample *sample)
{
	uint64_t bytes = sample->acked_bytes - rate->since_acked_bytes;
	uint64_t span_us = (uint64_t)(now_us - rate->since_us);
	uint64_t flying_bytes = bytes * sample->rtt_min_us / span_us;
	uint64_t bps = bytes * 8 * G_USEC_PER_SEC / span_us;
	if (rate->least_backlog_bytes >= flying_bytes + LINE_RATE_QUEUE_BYTES)
		rate->carried_bps = MAX(bps, 1);
	else if (rate->carried_bps > 0 && bps > rate->carried_bps)
		rate->carried_bps += (bps - rate->carried_bps) / CARRIED_SMOOTHING;
}

void line_rate_note(struct line_rate *rate, int64_t now_us, const struct line_rate_sample *sample)
{
	note_kernel(rate, sample);
	if (rate->last_us == 0 || now_us - rate->last_us > LINE_RATE_SILENCE_US)
		begin_span(rate, now_us, sample);
	rate->last_us = now_us;
	rate->least_backlog_bytes = MIN(rate->least_backlog_bytes, sample->backlog_bytes);
	if (now_us - rate->since_us < MAX(LINE_RATE_SPAN_US, (int64_t)sample->rtt_min_us))
		return;
	end_span(rate, now_us, sample);
	begin_span(rate, now_us, sample);
}

uint64_t line_rate_get(const struct line_rate *rate, bool *is_floor)
{
	uint64_t most_bps = rate->carried_bps * LINE_RATE_TRUST_PERCENT / 100;
	bool bound = rate->carried_bps > 0 && rate->kernel_bps > most_bps;
	*is_floor = rate->is_floor && !bound;
	return bound ? most_bps : rate->kernel_bps;
}
