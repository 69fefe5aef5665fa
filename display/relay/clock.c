/* SPDX-License-Identifier: MIT */
#include "display/relay/clock.h"

#include <glib.h>

#define US_PER_MS 1000

static uint32_t frames_need(const struct clock *clock)
{
	uint32_t most_ms = 0;
	for (unsigned i = 0; i < CLOCK_SPANS; i++)
		most_ms = MAX(most_ms, clock->needed_ms[i]);
	return most_ms;
}

static uint32_t least_margin(const struct clock *clock)
{
	uint32_t least = MAX(clock->line_ms, frames_need(clock));
	return CLAMP(least, CLOCK_MARGIN_MIN_MS, CLOCK_MARGIN_MAX_MS);
}

static void pass_time(struct clock *clock, int64_t now_us)
{
	int64_t span = now_us / (CLOCK_SPAN_MS * US_PER_MS);
	int64_t passed = CLAMP(span - clock->span, 0, CLOCK_SPANS);
	for (int64_t i = 0; i < passed; i++)
		clock->needed_ms[(span - i) % CLOCK_SPANS] = 0;
	clock->span = span;
}

static void plan_step(struct clock *clock, int64_t now_us)
{
	int64_t close_us = now_us + CLOCK_STEP_EVERY_MS * US_PER_MS;
	if (clock->margin_ms > least_margin(clock))
		clock->step_us = clock->step_us > now_us ? MIN(clock->step_us, close_us) : close_us;
	else if (frames_need(clock) > CLOCK_MARGIN_MIN_MS)
		clock->step_us = (clock->span + 1) * CLOCK_SPAN_MS * US_PER_MS;
	else
		clock->step_us = 0;
}

void clock_start(struct clock *clock, int64_t now_us)
{
	pass_time(clock, now_us);
	clock->margin_ms = MAX(CLOCK_START_MS, least_margin(clock));
	plan_step(clock, now_us);
}

void clock_set_line(struct clock *clock, uint32_t rtt_min_us, uint32_t rtt_var_us)
{
	uint32_t jitter_ms =
		MIN(rtt_var_us / US_PER_MS, rtt_min_us / US_PER_MS + CLOCK_JITTER_MAX_MS);
	clock->line_ms = MIN(CLOCK_MARGIN_MIN_MS + jitter_ms, CLOCK_MARGIN_MAX_MS);
}

static bool set_margin(struct clock *clock, uint32_t margin_ms)
{
	bool changed = clock->margin_ms != margin_ms;
	clock->margin_ms = margin_ms;
	return changed;
}

/* A report has the delay of its last frame alone. If earlier ones were late, we know only that they
 * needed more than the margin. */
bool clock_report(struct clock *clock, const struct clock_report *report, int64_t now_us)
{
	int32_t left_ms = CLAMP(report->left_ms, -CLOCK_MARGIN_MAX_MS, CLOCK_MARGIN_MAX_MS);
	if (report->n_late > 0)
		left_ms = MIN(left_ms, 0);
	int32_t needed_ms = (int32_t)clock->margin_ms - left_ms + CLOCK_SLACK_MS;
	needed_ms = CLAMP(needed_ms, 0, (int32_t)clock->margin_ms + CLOCK_WIDEN_MAX_MS);
	pass_time(clock, now_us);
	uint32_t *most_ms = &clock->needed_ms[clock->span % CLOCK_SPANS];
	*most_ms = MIN(MAX(*most_ms, (uint32_t)needed_ms), CLOCK_MARGIN_MAX_MS);
	bool late = left_ms < 0 || report->n_late > 0;
	bool changed = late && set_margin(clock, MAX(clock->margin_ms, least_margin(clock)));
	plan_step(clock, now_us);
	return changed;
}

static bool close_in(struct clock *clock)
{
	uint32_t least_ms = least_margin(clock);
	if (clock->margin_ms <= least_ms)
		return false;
	uint32_t step_ms = MAX(CLOCK_STEP_MS, (clock->margin_ms - least_ms) / CLOCK_STEP_PARTS);
	return set_margin(clock, MAX(least_ms, clock->margin_ms - step_ms));
}

bool clock_tick(struct clock *clock, int64_t now_us)
{
	if (clock->step_us == 0 || now_us < clock->step_us)
		return false;
	pass_time(clock, now_us);
	bool changed = close_in(clock);
	plan_step(clock, now_us);
	return changed;
}

/* The start must be at least as old as the packets that follow it: clients complain about sound
 * that is older than its stream's start. */
uint32_t clock_sound_start_ms(const struct clock *clock)
{
	return MAX(clock->margin_ms, CLOCK_SOUND_MS + CLOCK_DEVICE_MS);
}

int64_t clock_next_us(const struct clock *clock)
{
	return clock->step_us > 0 ? clock->step_us : -1;
}
