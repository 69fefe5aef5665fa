/* SPDX-License-Identifier: MIT */
/*
 * compression: checks that near lines are quick until they were slow, and far ones small until they
 * were fast.
 */
#include "display/relay/compression.h"

#include <glib.h>

#define MBIT 1000000u
#define NEAR_US 200u
#define FAR_US LINE_FAR_US

static void test_unknown(void)
{
	struct line_figures figures = { .rtt_min_us = NEAR_US };
	g_assert_false(compression_small(false, &figures));
	figures.rate_is_floor = true;
	figures.rate_bps = 1000;
	g_assert_false(compression_small(false, &figures));
	figures.rtt_min_us = FAR_US;
	g_assert_true(compression_small(false, &figures));
	figures.rate_bps = COMPRESSION_QUICK_BPS;
	g_assert_false(compression_small(true, &figures));
	g_assert_false(compression_small(false, &(struct line_figures){ 0 }));
	g_assert_true(compression_small(false, &(struct line_figures){ .rtt_min_us = FAR_US }));
}

/* The answer stays while the rate wavers about a bound, wherever that is. */
static void test_hysteresis(void)
{
	static const struct {
		uint64_t bps;
		bool small;
	} steps[] = {
		{ 1000 * MBIT, false },
		{ 150 * MBIT, false },
		{ COMPRESSION_SMALL_BPS, false },
		{ COMPRESSION_SMALL_BPS - 1, true },
		{ COMPRESSION_SMALL_BPS, true },
		{ 2 * MBIT, true },
		{ COMPRESSION_QUICK_BPS - 1, true },
		{ COMPRESSION_QUICK_BPS, false },
		{ COMPRESSION_QUICK_BPS - 1, false },
	};
	for (unsigned far = 0; far < 2; far++) {
		bool small = far;
		for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
			struct line_figures figures = { .rate_bps = steps[i].bps,
				.rtt_min_us = far ? FAR_US : NEAR_US };
			small = compression_small(small, &figures);
			g_assert_true(small == steps[i].small);
		}
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/relay-compression/unknown", test_unknown);
	g_test_add_func("/relay-compression/hysteresis", test_hysteresis);
	return g_test_run();
}
