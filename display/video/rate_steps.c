/* SPDX-License-Identifier: MIT */
#include "display/video/rate_steps.h"

#include <glib.h>

#include "common/monotonic.h"

static void step(struct rate_steps *steps, struct rate to, bool up, uint64_t now_ns)
{
	steps->told = to;
	steps->told_ns = now_ns;
	steps->was_up = up;
	steps->is_first = false;
	steps->room_since_ns = steps->over_since_ns = 0;
}

static void step_down(struct rate_steps *steps, struct rate wanted, uint64_t now_ns)
{
	uint64_t stood_ns = now_ns - steps->told_ns;
	if (stood_ns > RATE_STEPS_PATIENCE_MAX_MS * MONOTONIC_NS_PER_MS)
		steps->patience_ms = RATE_STEPS_PATIENCE_MS;
	else if (steps->was_up)
		steps->patience_ms = MIN(2 * steps->patience_ms, RATE_STEPS_PATIENCE_MAX_MS);
	wanted.kbit = (uint32_t)(wanted.kbit * RATE_STEPS_DOWN);
	step(steps, wanted, false, now_ns);
}

static bool must_step_down(struct rate_steps *steps, struct rate wanted, uint64_t now_ns)
{
	bool held = !steps->was_up && !steps->is_first &&
		    now_ns - steps->told_ns < RATE_STEPS_HOLD_MS * MONOTONIC_NS_PER_MS;
	if (steps->told.kbit <= wanted.kbit * (held ? RATE_STEPS_HASTE : RATE_STEPS_OVER)) {
		steps->over_since_ns = 0;
		return false;
	}
	if (steps->over_since_ns == 0)
		steps->over_since_ns = now_ns;
	return now_ns - steps->over_since_ns >= RATE_STEPS_SETTLE_MS * MONOTONIC_NS_PER_MS;
}

static bool wait_for_room(struct rate_steps *steps, struct rate wanted, uint64_t now_ns)
{
	if (wanted.kbit < steps->told.kbit * RATE_STEPS_UP) {
		steps->room_since_ns = 0;
		return false;
	}
	if (steps->room_since_ns == 0 || wanted.kbit > steps->room_kbit * RATE_STEPS_GROWS) {
		steps->room_since_ns = now_ns;
		steps->room_kbit = wanted.kbit;
	}
	steps->room_kbit = MIN(steps->room_kbit, wanted.kbit);
	return now_ns - steps->room_since_ns >= steps->patience_ms * MONOTONIC_NS_PER_MS;
}

bool rate_steps_want(struct rate_steps *steps, struct rate wanted, uint64_t now_ns)
{
	if (steps->told.kbit == 0) {
		steps->patience_ms = RATE_STEPS_PATIENCE_MS;
		step(steps, wanted, false, now_ns);
		steps->is_first = true;
		return true;
	}
	if (must_step_down(steps, wanted, now_ns)) {
		step_down(steps, wanted, now_ns);
		return true;
	}
	if (!wait_for_room(steps, wanted, now_ns))
		return false;
	wanted.kbit = steps->room_kbit;
	step(steps, wanted, true, now_ns);
	return true;
}
