/* SPDX-License-Identifier: MIT */
/* delays: plays guessers against a clock of its own, and counts what they get compared. */
#include "display/tickets/delays.h"
#include "display/tickets/limits.h"

#include <glib.h>
#include <stdbool.h>

#define SECOND_US 1000000

/* Guesses one after the other until `end_us`. Returns how many were compared. */
static unsigned guess(struct delays *delays, uint64_t network, int64_t *now_us, int64_t end_us)
{
	unsigned n = 0;
	while (*now_us < end_us) {
		int64_t slot_us = delays_try(delays, network, *now_us);
		*now_us = slot_us < 0 ? *now_us + SECOND_US / 10 : slot_us;
		n += slot_us >= 0 && slot_us < end_us;
	}
	return n;
}

static void test_one_network(void)
{
	struct delays *delays = delays_create();
	int64_t now_us = SECOND_US;
	for (unsigned i = 0; i < DELAYS_FREE_TRIES; i++)
		g_assert_cmpint(delays_try(delays, 1, now_us), ==, now_us);
	unsigned n = guess(delays, 1, &now_us, 100 * SECOND_US);
	/* A first minute of forgetting frees no more than a try or two. */
	g_assert_cmpuint(n, >=, 30);
	g_assert_cmpuint(n, <=, 60);
	/* Another network does not notice. */
	g_assert_cmpint(delays_try(delays, 2, now_us), ==, now_us);
	/* The same one gets in as soon as it may, and ten quiet minutes forgive it. */
	int64_t slot_us = delays_try(delays, 1, now_us);
	g_assert_cmpint(slot_us, >=, now_us);
	g_assert_cmpint(slot_us, <=, now_us + DELAYS_LONGEST_US);
	now_us += (int64_t)DELAYS_TRIES_MAX * DELAYS_FORGET_US + SECOND_US;
	for (unsigned i = 0; i < DELAYS_FREE_TRIES; i++)
		g_assert_cmpint(delays_try(delays, 1, now_us), ==, now_us);
	delays_destroy(delays);
}

/* All of them at once: few wait, and who comes when they have gone waits no longer than they. */
static void test_at_once(void)
{
	struct delays *delays = delays_create();
	unsigned compared = 0, waited = 0;
	for (unsigned i = 0; i < 1000; i++) {
		int64_t slot_us = delays_try(delays, 1, SECOND_US);
		compared += slot_us == SECOND_US;
		waited += slot_us > SECOND_US;
		g_assert_cmpint(slot_us, <=, SECOND_US + DELAYS_WAIT_MAX_US);
	}
	g_assert_cmpuint(compared, ==, DELAYS_FREE_TRIES + 1);
	g_assert_cmpuint(waited, >, 0);
	g_assert_cmpuint(waited, <, 10);
	int64_t late_us = SECOND_US + DELAYS_LONGEST_US;
	g_assert_cmpint(delays_try(delays, 1, late_us), >=, late_us);
	delays_destroy(delays);
}

/* A password that was right costs nothing, however often it is given. */
static void test_right(void)
{
	struct delays *delays = delays_create();
	for (unsigned i = 0; i < 1000; i++) {
		g_assert_cmpint(delays_try(delays, 1, SECOND_US), ==, SECOND_US);
		delays_right(delays, 1, SECOND_US);
	}
	/* But it does not forgive what else was tried from there. */
	int64_t now_us = 2 * SECOND_US;
	for (unsigned i = 0; i < 20; i++) {
		int64_t slot_us = delays_try(delays, 1, now_us);
		now_us = MAX(now_us, slot_us);
		slot_us = delays_try(delays, 1, now_us);
		now_us = MAX(now_us, slot_us);
		delays_right(delays, 1, now_us);
	}
	g_assert_cmpint(now_us, >, 30 * SECOND_US);
	delays_destroy(delays);
}

/* A client that has no password yet sends an empty one first, every time. */
static void test_empty(void)
{
	struct delays *delays = delays_create();
	delays_empty(delays, 1);
	for (unsigned i = 0; i < 100; i++) {
		g_assert_cmpint(delays_try(delays, 1, SECOND_US), ==, SECOND_US);
		delays_empty(delays, 1);
		g_assert_cmpint(delays_try(delays, 1, SECOND_US), ==, SECOND_US);
		delays_right(delays, 1, SECOND_US);
	}
	/* Nothing else than them is bounded as guesses are. */
	unsigned n = 0;
	for (unsigned i = 0; i < 1000; i++) {
		n += delays_try(delays, 1, SECOND_US) == SECOND_US;
		delays_empty(delays, 1);
	}
	g_assert_cmpuint(n, <=, DELAYS_FREE_TRIES + 1);
	delays_destroy(delays);
}

/* Many networks that guess are slow together, and hold up neither new nor known people. */
static void test_many_networks(void)
{
	struct delays *delays = delays_create();
	const uint64_t friend = 1000000;
	g_assert_cmpint(delays_try(delays, friend, 0), ==, 0);
	delays_right(delays, friend, 0);
	unsigned compared = 0;
	for (int64_t now_us = SECOND_US; now_us < 61 * SECOND_US; now_us += 1000) {
		int64_t slot_us = delays_try(delays, 1 + (uint64_t)(now_us / 1000 % 500), now_us);
		compared += slot_us >= 0;
		if (now_us == 60 * SECOND_US) {
			g_assert_cmpint(delays_try(delays, friend, now_us), ==, now_us);
			g_assert_cmpint(delays_try(delays, 2000000, now_us), ==, now_us);
		}
	}
	g_assert_cmpuint(compared, >, 100);
	g_assert_cmpuint(
		compared, <, 2 * (DELAYS_ALL_BURST + 60 * SECOND_US / DELAYS_ALL_EVERY_US) + 200);
	delays_destroy(delays);
}

/* Ever new networks push those out that have done less, not the one that guesses. */
static void test_room(void)
{
	struct delays *delays = delays_create();
	int64_t now_us = SECOND_US;
	guess(delays, 7, &now_us, 20 * SECOND_US);
	for (unsigned i = 0; i < 3 * DELAYS_NETWORKS_MAX; i++) {
		now_us += DELAYS_ALL_EVERY_US / 10;
		delays_try(delays, 1000 + i, now_us);
		if (i % 300 == 0)
			now_us = MAX(now_us, delays_try(delays, 7, now_us));
	}
	g_assert_cmpint(delays_try(delays, 7, now_us), !=, now_us);
	delays_destroy(delays);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/delays/one_network", test_one_network);
	g_test_add_func("/delays/at_once", test_at_once);
	g_test_add_func("/delays/right", test_right);
	g_test_add_func("/delays/empty", test_empty);
	g_test_add_func("/delays/many_networks", test_many_networks);
	g_test_add_func("/delays/room", test_room);
	return g_test_run();
}
