/* SPDX-License-Identifier: MIT */
#include "server/keeper/watchdog.h"

#include "common/monotonic.h"
#include "server/keeper/limits.h"

#define HURRY_NS (WATCHDOG_HURRY_MS * MONOTONIC_NS_PER_MS)

/* Also of a process that another one takes the place of while the driver waits. */
static uint64_t stopped_limit(const struct watchdog *watchdog, uint64_t now_ns)
{
	uint64_t limit_ns = watchdog->limits.stopped_ns;
	return now_ns < watchdog->driver_until_ns ?
		       MIN(limit_ns, WATCHDOG_DRIVER_STOPPED_MS * MONOTONIC_NS_PER_MS) :
		       limit_ns;
}

/*
 * Gives how far looks are apart. With a short limit that is less, so that nothing passes the limit
 * unseen for long.
 */
static uint64_t period_of(const struct watchdog *watchdog, uint64_t now_ns)
{
	return MIN(WATCHDOG_PERIOD_MS * MONOTONIC_NS_PER_MS, stopped_limit(watchdog, now_ns));
}

/*
 * Gives how long it is until the next look. All periods end at the same moments of the clock, so
 * that looks at both workers come together.
 */
static uint64_t left_of_period(const struct watchdog *watchdog, uint64_t now_ns)
{
	uint64_t period_ns = period_of(watchdog, now_ns);
	return period_ns - now_ns % period_ns;
}

void watchdog_begin(struct watchdog *watchdog, uint64_t now_ns)
{
	watchdog->last_look_ns = watchdog->from_ns = now_ns;
	watchdog->stopped_since_ns = 0;
	watchdog->reset_sent_ns = watchdog->resets_sent = 0;
}

void watchdog_reset_sent(struct watchdog *watchdog, uint64_t now_ns)
{
	watchdog->reset_sent_ns = now_ns;
	watchdog->resets_sent++;
}

void watchdog_driver_started(struct watchdog *watchdog, uint64_t now_ns)
{
	watchdog->driver_until_ns = now_ns + WATCHDOG_DRIVER_MS * MONOTONIC_NS_PER_MS;
}

bool watchdog_has_reset_left(
	const struct watchdog *watchdog, const struct heartbeat_memory *heartbeat)
{
	return heartbeat_memory_read_resets(heartbeat) < watchdog->resets_sent;
}

/*
 * Who was not looking for far longer than a period was stopped or starved, and so were, likely, the
 * workers: what they were at then is no fault of theirs, and is counted from now on.
 */
static void notice_own_absence(struct watchdog *watchdog, uint64_t now_ns)
{
	if (now_ns - watchdog->last_look_ns > 2 * WATCHDOG_PERIOD_MS * MONOTONIC_NS_PER_MS) {
		watchdog->from_ns = now_ns;
		watchdog->stopped_since_ns = 0;
	}
	watchdog->last_look_ns = now_ns;
}

bool watchdog_is_unwanted(const struct watchdog *watchdog, const struct heartbeat_memory *heartbeat,
	const struct heartbeat_said *said)
{
	return said->since_ns < watchdog->reset_sent_ns ||
	       watchdog_has_reset_left(watchdog, heartbeat);
}

static uint64_t limit_of(const struct watchdog *watchdog, unsigned loop, enum heartbeat_state state)
{
	if (watchdog->limits.loops_ns[loop] == 0)
		return 0;
	if (state == HEARTBEAT_STARTING)
		return watchdog->limits.starting_ns;
	return state == HEARTBEAT_WORKING ? watchdog->limits.loops_ns[loop] : 0;
}

/*
 * Gives for how long something has been going on, as far as we may count it. A time to come counts
 * as now.
 */
static uint64_t age_of(const struct watchdog *watchdog, uint64_t since_ns, uint64_t now_ns)
{
	uint64_t from_ns = MAX(since_ns, watchdog->from_ns);
	return now_ns > from_ns ? now_ns - from_ns : 0;
}

/* The fault that has been there for longest is the one that is told. */
static void note(
	struct watchdog_verdict *verdict, const struct watchdog_verdict *fault, uint64_t limit_ns)
{
	if (fault->for_ns < limit_ns)
		verdict->look_again_ns = MIN(verdict->look_again_ns, limit_ns - fault->for_ns);
	else if (verdict->fault == WATCHDOG_NONE || fault->for_ns > verdict->for_ns)
		*verdict = *fault;
}

static void look_at_loop(const struct watchdog *watchdog, const struct heartbeat_memory *heartbeat,
	enum heartbeat_loop loop, uint64_t now_ns, struct watchdog_verdict *verdict)
{
	struct watchdog_verdict fault = { .fault = WATCHDOG_STUCK, .loop = loop };
	fault.said = heartbeat_memory_read(heartbeat, loop);
	uint64_t limit_ns = limit_of(watchdog, loop, fault.said.state);
	if (limit_ns == 0)
		return;
	fault.for_ns = age_of(watchdog, fault.said.since_ns, now_ns);
	if (watchdog_is_unwanted(watchdog, heartbeat, &fault.said)) {
		uint64_t hurried_ns = now_ns - watchdog->reset_sent_ns;
		uint64_t left_ns = HURRY_NS - MIN(HURRY_NS, hurried_ns);
		limit_ns = MIN(limit_ns, fault.for_ns + left_ns);
	}
	note(verdict, &fault, limit_ns);
}

/*
 * A stop is seen up to a period late. It is counted from half of that before, so that it is
 * recognised at most half a period before or after its limit.
 */
static void look_at_process(
	struct watchdog *watchdog, uint64_t now_ns, struct watchdog_verdict *verdict)
{
	if (watchdog->stopped_since_ns == 0)
		watchdog->stopped_since_ns =
			MAX(watchdog->from_ns, now_ns - period_of(watchdog, now_ns) / 2);
	struct watchdog_verdict fault = { .fault = WATCHDOG_STOPPED,
		.for_ns = now_ns - watchdog->stopped_since_ns };
	note(verdict, &fault, stopped_limit(watchdog, now_ns));
}

/* What the loops were at when the process was stopped is not their fault, and is counted anew. */
static void notice_continuation(struct watchdog *watchdog, uint64_t now_ns)
{
	if (watchdog->stopped_since_ns != 0)
		watchdog->from_ns = now_ns;
	watchdog->stopped_since_ns = 0;
}

struct watchdog_verdict watchdog_look(struct watchdog *watchdog,
	const struct heartbeat_memory *heartbeat, bool stopped, uint64_t now_ns)
{
	struct watchdog_verdict verdict = { .look_again_ns = left_of_period(watchdog, now_ns) };
	notice_own_absence(watchdog, now_ns);
	if (stopped) {
		look_at_process(watchdog, now_ns, &verdict);
		return verdict;
	}
	notice_continuation(watchdog, now_ns);
	for (unsigned loop = 0; loop < HEARTBEAT_LOOPS; loop++)
		look_at_loop(watchdog, heartbeat, loop, now_ns, &verdict);
	return verdict;
}
