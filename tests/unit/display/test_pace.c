/* SPDX-License-Identifier: MIT */
/* pace: what may be under way, and that a burst's rate is not taken for the line's. */
#include "display/pace.h"

#include <glib.h>

static void test_mark(void)
{
	struct line_figures slow = { .rate_bps = 5000000, .rtt_min_us = 40000 };
	struct line_figures fast = { .rate_bps = 1000000000, .rtt_min_us = 200 };
	struct line_figures untried = { .rate_bps = 1000, .rate_is_floor = true };
	g_assert_cmpuint(pace_mark(&slow), ==, PACE_BYTES_MIN);
	g_assert_cmpuint(pace_mark(&fast), >, 4000000);
	g_assert_cmpuint(pace_mark(&untried), ==, PACE_BYTES_UNTRIED);
	untried.rtt_min_us = LINE_FAR_US;
	g_assert_cmpuint(pace_mark(&untried), ==, PACE_BYTES_MIN);
	g_assert_cmpuint(pace_mark(&(struct line_figures){ 0 }), ==, PACE_BYTES_MIN);
}

static void test_no_line_no_limit(void)
{
	struct pace pace = { 0 };
	bool again;
	g_assert_cmpuint(pace_budget(&pace, 0, &again), ==, PACE_UNLIMITED);
	g_assert_false(again);
	pace.line = line_create();
	g_assert_cmpuint(pace_budget(&pace, 0, &again), ==, PACE_UNLIMITED);
	line_destroy(pace.line);
}

/* 100 kB under way all the time, 25 kB through every 100 ms, in bursts at 8 Gbit/s. */
static void test_measures_what_is_carried(void)
{
	struct pace pace = { 0 };
	struct line_figures figures;
	for (unsigned i = 0; i < 10; i++) {
		figures = (struct line_figures){
			.rate_bps = 8000000000,
			.rtt_min_us = 5,
			.backlog_bytes = 100000,
			.acked_bytes = 25000 * i,
		};
		pace_measure(&pace, 1000000 + 100000 * i, &figures);
	}
	g_assert_cmpuint(pace.carried_bps, ==, 2000000);
	g_assert_cmpuint(figures.rate_bps, ==, 3000000);
	g_assert_cmpuint(pace_mark(&figures), ==, PACE_BYTES_MIN);
}

/* What flies through a long fast line is not a queue. */
static void test_round_trip_is_no_queue(void)
{
	struct pace pace = { 0 };
	for (unsigned i = 0; i < 10; i++) {
		struct line_figures figures = {
			.rate_bps = 50000000,
			.rtt_min_us = 20000,
			.backlog_bytes = 100000,
			.acked_bytes = 25000 * i,
		};
		pace_measure(&pace, 1000000 + 100000 * i, &figures);
		g_assert_cmpuint(figures.rate_bps, ==, 50000000);
	}
	g_assert_cmpuint(pace.carried_bps, ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pace/mark", test_mark);
	g_test_add_func("/pace/no-line-no-limit", test_no_line_no_limit);
	g_test_add_func("/pace/measures-what-is-carried", test_measures_what_is_carried);
	g_test_add_func("/pace/round-trip-is-no-queue", test_round_trip_is_no_queue);
	return g_test_run();
}
