/* SPDX-License-Identifier: MIT */
/* send_budget: checks how much may be under way. */
#include "display/line/send_budget.h"

#include <glib.h>

static void test_mark(void)
{
	struct line_figures slow = { .rate_bps = 5000000, .rtt_min_us = 40000 };
	struct line_figures fast = { .rate_bps = 1000000000, .rtt_min_us = 200 };
	struct line_figures untried = { .rate_bps = 1000, .rate_is_floor = true };
	g_assert_cmpuint(send_budget_mark(&slow), ==, SEND_BUDGET_BYTES_MIN);
	g_assert_cmpuint(send_budget_mark(&fast), >, 4000000);
	g_assert_cmpuint(send_budget_mark(&untried), ==, SEND_BUDGET_BYTES_UNTRIED);
	untried.rtt_min_us = LINE_FAR_US;
	g_assert_cmpuint(send_budget_mark(&untried), ==, SEND_BUDGET_BYTES_MIN);
	g_assert_cmpuint(send_budget_mark(&(struct line_figures){ 0 }), ==, SEND_BUDGET_BYTES_MIN);
}

static void test_no_line_no_limit(void)
{
	struct send_budget pace = { 0 };
	bool again;
	g_assert_cmpuint(send_budget_get(&pace, 0, &again), ==, SEND_BUDGET_UNLIMITED);
	g_assert_false(again);
	pace.line = line_create();
	g_assert_cmpuint(send_budget_get(&pace, 0, &again), ==, SEND_BUDGET_UNLIMITED);
	line_destroy(pace.line);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pace/mark", test_mark);
	g_test_add_func("/pace/no-line-no-limit", test_no_line_no_limit);
	return g_test_run();
}
