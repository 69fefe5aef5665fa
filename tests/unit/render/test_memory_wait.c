/* SPDX-License-Identifier: MIT */
#include <glib.h>

#include "render/memory_wait.h"

#define START_US (10 * 1000 * 1000)

/* The keeper has nothing: the time for a held-back table is spent, then the work is refused. */
static void test_in_vain(void)
{
	struct memory_wait w = { 0 };
	g_assert_true(memory_wait_is_allowed(&w));
	g_assert_cmpint(memory_wait_left_us(&w, START_US), ==, -1);
	memory_wait_begin(&w, START_US);
	g_assert_true(memory_wait_goes_on(&w, START_US));
	g_assert_cmpint(memory_wait_left_us(&w, START_US), ==, MEMORY_WAIT_KEEPER_US);
	memory_wait_keeper_read(&w, START_US + 100);
	g_assert_cmpint(memory_wait_left_us(&w, START_US + 100), ==, MEMORY_WAIT_TABLE_US);
	g_assert_true(memory_wait_goes_on(&w, START_US + MEMORY_WAIT_TABLE_US));
	g_assert_false(memory_wait_goes_on(&w, START_US + 100 + MEMORY_WAIT_TABLE_US));
	g_assert_false(memory_wait_is_allowed(&w));
	memory_wait_finish(&w);
	g_assert_true(memory_wait_is_allowed(&w));
}

/* A guest makes us wait for a held-back table once a second, however much it asks. */
static void test_rate(void)
{
	struct memory_wait w = { 0 };
	int64_t now_us = START_US, spent_us = 0;
	while (now_us < START_US + 10 * MEMORY_WAIT_TABLE_INTERVAL_US) {
		memory_wait_begin(&w, now_us);
		memory_wait_keeper_read(&w, now_us);
		int64_t left_us = MAX(memory_wait_left_us(&w, now_us), 0);
		spent_us += left_us;
		now_us += left_us;
		g_assert_false(memory_wait_goes_on(&w, now_us));
		memory_wait_finish(&w);
		now_us += 100;
	}
	g_assert_cmpint(spent_us, >=, 9 * MEMORY_WAIT_TABLE_US);
	g_assert_cmpint(spent_us, <=, 10 * MEMORY_WAIT_TABLE_US);
}

/* A main thread that does not answer holds nothing up for ever. */
static void test_deaf_keeper(void)
{
	struct memory_wait w = { 0 };
	memory_wait_begin(&w, START_US);
	int64_t now_us = START_US + MEMORY_WAIT_KEEPER_US;
	g_assert_true(memory_wait_goes_on(&w, now_us));
	g_assert_cmpint(memory_wait_left_us(&w, now_us), ==, MEMORY_WAIT_TABLE_US);
	g_assert_false(memory_wait_goes_on(&w, now_us + MEMORY_WAIT_TABLE_US));
}

/* A table ends the wait; one piece of work waits twice at most. */
static void test_table(void)
{
	struct memory_wait w = { 0 };
	for (unsigned i = 0; i < MEMORY_WAITS_MAX; i++) {
		g_assert_true(memory_wait_is_allowed(&w));
		memory_wait_begin(&w, START_US);
		memory_wait_new_table(&w);
		g_assert_false(memory_wait_goes_on(&w, START_US));
		/* The word that the link was read comes after what was read. */
		memory_wait_keeper_read(&w, START_US);
		g_assert_false(memory_wait_goes_on(&w, START_US));
	}
	g_assert_false(memory_wait_is_allowed(&w));
	memory_wait_finish(&w);
	g_assert_true(memory_wait_is_allowed(&w));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/memory-wait/in-vain", test_in_vain);
	g_test_add_func("/memory-wait/rate", test_rate);
	g_test_add_func("/memory-wait/deaf-keeper", test_deaf_keeper);
	g_test_add_func("/memory-wait/table", test_table);
	return g_test_run();
}
