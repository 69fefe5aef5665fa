/* SPDX-License-Identifier: MIT */
/*
 * clock: checks that it starts wide, closes in, widens when frames come late, and comes to rest.
 * Time is made up.
 */
#include "display/relay/clock.h"

#include <glib.h>

#define MS 1000

/* Runs the clock as its owner does. Returns when it rests, or `until_us`. */
static int64_t run(struct clock *clock, int64_t now_us, int64_t until_us)
{
	int64_t next_us;
	while ((next_us = clock_next_us(clock)) >= 0 && next_us <= until_us) {
		g_assert_cmpint(next_us, >, now_us);
		now_us = next_us;
		clock_tick(clock, now_us);
	}
	return next_us < 0 ? now_us : until_us;
}

/* Reports what a client does whose frames take taken_ms. */
static bool report(struct clock *clock, int32_t taken_ms, int64_t now_us)
{
	int32_t left_ms = (int32_t)clock->margin_ms - taken_ms;
	const struct clock_report report = { 60, left_ms < 0 ? 60 : 0, left_ms };
	return clock_report(clock, &report, now_us);
}

static void test_closes_in(void)
{
	struct clock clock = { 0 };
	uint32_t margin_ms = CLOCK_START_MS;
	clock_start(&clock, 1000 * MS);
	g_assert_cmpuint(clock.margin_ms, ==, CLOCK_START_MS);
	g_assert_false(clock_tick(&clock, 1050 * MS));
	for (int64_t now_ms = 1100; margin_ms > CLOCK_MARGIN_MIN_MS;
		now_ms += CLOCK_STEP_EVERY_MS) {
		g_assert_true(clock_tick(&clock, now_ms * MS));
		margin_ms = MAX(margin_ms - CLOCK_STEP_MS, CLOCK_MARGIN_MIN_MS);
		g_assert_cmpuint(clock.margin_ms, ==, margin_ms);
	}
	g_assert_cmpint(clock_next_us(&clock), ==, -1);
}

/* Frames take 30 ms, so the margin becomes that and a little more, not less. */
static void test_stops_at_what_frames_need(void)
{
	struct clock clock = { 0 };
	int64_t now_us = 0;
	clock_start(&clock, now_us);
	for (unsigned i = 0; i < 40; i++) {
		now_us = run(&clock, now_us, now_us + 250 * MS);
		report(&clock, 30, now_us);
	}
	g_assert_cmpuint(clock.margin_ms, >=, 30);
	g_assert_cmpuint(clock.margin_ms, <=, 30 + 2 * CLOCK_SLACK_MS);
}

static void test_widens_at_once_and_forgets(void)
{
	struct clock clock = { 0 };
	clock_start(&clock, 0);
	int64_t now_us = run(&clock, 0, 10000 * MS);
	g_assert_cmpuint(clock.margin_ms, ==, CLOCK_MARGIN_MIN_MS);
	g_assert_true(report(&clock, 120, now_us));
	g_assert_cmpuint(clock.margin_ms, ==, CLOCK_MARGIN_MIN_MS + CLOCK_WIDEN_MAX_MS);
	g_assert_true(report(&clock, 120, now_us));
	g_assert_true(report(&clock, 120, now_us));
	g_assert_cmpuint(clock.margin_ms, ==, 120 + CLOCK_SLACK_MS);
	run(&clock, now_us, now_us + 1000 * MS);
	g_assert_cmpuint(clock.margin_ms, ==, 120 + CLOCK_SLACK_MS);
	int64_t rest_us = run(&clock, now_us, INT64_MAX);
	g_assert_cmpuint(clock.margin_ms, ==, CLOCK_MARGIN_MIN_MS);
	g_assert_cmpint(rest_us - now_us, <=, 6000 * MS);
	g_assert_cmpint(clock_next_us(&clock), ==, -1);
}

/* After one bad second frames take 60 ms, and some time later the margin fits these. */
static void test_one_stop(void)
{
	struct clock clock = { 0 };
	clock_start(&clock, 0);
	for (int64_t now_us = 0; now_us < 20000 * MS; now_us += 100 * MS) {
		run(&clock, now_us - 100 * MS, now_us);
		report(&clock, now_us / MS / 1000 == 10 ? 300 : 60, now_us);
		if (now_us == 11000 * MS)
			g_assert_cmpuint(clock.margin_ms, >, 200);
	}
	g_assert_cmpuint(clock.margin_ms, >=, 60);
	g_assert_cmpuint(clock.margin_ms, <=, 60 + 2 * CLOCK_SLACK_MS);
}

/* Some frames of many were late, but not the last. */
static void test_few_late(void)
{
	struct clock clock = { 0 };
	const struct clock_report few = { 60, 3, 5 };
	clock_start(&clock, 0);
	int64_t now_us = run(&clock, 0, 10000 * MS);
	g_assert_true(clock_report(&clock, &few, now_us));
	g_assert_cmpuint(clock.margin_ms, >, CLOCK_MARGIN_MIN_MS);
	g_assert_cmpuint(clock.margin_ms, <, 2 * CLOCK_MARGIN_MIN_MS);
}

static void test_jitter(void)
{
	struct clock clock = { 0 };
	clock_start(&clock, 0);
	clock_set_line(&clock, 300, 5000);
	int64_t now_us = run(&clock, 0, 10000 * MS);
	g_assert_cmpuint(clock.margin_ms, ==, CLOCK_MARGIN_MIN_MS + 5);
	/* On a short line the jitter comes from acknowledgements that are held back. */
	clock_set_line(&clock, 300, 40000);
	clock_start(&clock, now_us);
	now_us = run(&clock, now_us, now_us + 10000 * MS);
	g_assert_cmpuint(clock.margin_ms, ==, CLOCK_MARGIN_MIN_MS + CLOCK_JITTER_MAX_MS);
	clock_set_line(&clock, 80000, 40000);
	clock_start(&clock, now_us);
	run(&clock, now_us, now_us + 10000 * MS);
	g_assert_cmpuint(clock.margin_ms, ==, CLOCK_MARGIN_MIN_MS + 40);
}

static void test_lies(void)
{
	static const int32_t lefts_ms[] = { INT32_MIN, -100000, 0, 100000, INT32_MAX };
	struct clock clock = { 0 };
	int64_t now_us = 0;
	clock_start(&clock, now_us);
	for (unsigned i = 0; i < 1000; i++) {
		const struct clock_report lie = { g_test_rand_int(), i % 3 ? 0 : UINT32_MAX,
			lefts_ms[i % G_N_ELEMENTS(lefts_ms)] };
		clock_report(&clock, &lie, now_us);
		g_assert_cmpuint(clock.margin_ms, <=, CLOCK_MARGIN_MAX_MS);
		g_assert_cmpuint(clock.margin_ms, >=, CLOCK_MARGIN_MIN_MS);
		now_us = run(&clock, now_us, now_us + 30 * MS);
	}
	clock_set_line(&clock, UINT32_MAX, UINT32_MAX);
	clock_start(&clock, now_us);
	g_assert_cmpuint(clock.margin_ms, ==, CLOCK_MARGIN_MAX_MS);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/relay-clock/closes-in", test_closes_in);
	g_test_add_func("/relay-clock/stops-at-what-frames-need", test_stops_at_what_frames_need);
	g_test_add_func("/relay-clock/widens-and-forgets", test_widens_at_once_and_forgets);
	g_test_add_func("/relay-clock/one-stop", test_one_stop);
	g_test_add_func("/relay-clock/few-late", test_few_late);
	g_test_add_func("/relay-clock/jitter", test_jitter);
	g_test_add_func("/relay-clock/lies", test_lies);
	return g_test_run();
}
