/* SPDX-License-Identifier: MIT */
/* effort: has a crowd make us compute, and checks how much of a core it gets. */
#include "display/relay/effort.h"
#include "display/relay/limits.h"

#include <time.h>

#define CROWD 2000
#define WORK_US 1000

struct stranger {
	struct effort_turn turn;
	struct effort *effort;
	bool done;
};

static unsigned n_done;

static gint64 thread_us(void)
{
	struct timespec used;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (gint64)used.tv_sec * G_USEC_PER_SEC + used.tv_nsec / 1000;
}

static void work(struct stranger *stranger, bool few)
{
	if (!effort_begin(stranger->effort, &stranger->turn, few, stranger))
		return;
	for (gint64 end_us = thread_us() + WORK_US; thread_us() < end_us;)
		;
	stranger->done = true;
	n_done++;
	effort_end(stranger->effort);
}

/* The relay does a turn's work from its loop, not from within another's. */
static gboolean on_turn(gpointer user)
{
	work(user, false);
	return G_SOURCE_REMOVE;
}

static void on_granted(void *user)
{
	g_idle_add_full(G_PRIORITY_DEFAULT, on_turn, user, NULL);
}

static gboolean on_over(gpointer user)
{
	*(bool *)user = true;
	return G_SOURCE_REMOVE;
}

static void sleep_in_loop(unsigned ms)
{
	bool over = false;
	g_timeout_add(ms, on_over, &over);
	while (!over)
		g_main_context_iteration(NULL, TRUE);
}

static void test_crowd(void)
{
	static struct stranger crowd[CROWD], other;
	struct effort *effort = effort_create(on_granted);
	n_done = 0;
	gint64 begun_us = g_get_monotonic_time();
	for (unsigned i = 0; i < CROWD; i++) {
		crowd[i].effort = effort;
		work(&crowd[i], false);
	}
	/* What was saved is used up at once, and the rest waits. */
	g_assert_cmpuint(n_done, >=, 1);
	gint64 given_us = (g_get_monotonic_time() - begun_us) * EFFORT_PERCENT / 100;
	g_assert_cmpuint(n_done, <=, (EFFORT_SAVED_US + given_us) / WORK_US + 2);
	/* Whoever comes alone does not wait for the crowd. */
	other.effort = effort;
	work(&other, true);
	g_assert_true(other.done);
	unsigned before = n_done;
	begun_us = g_get_monotonic_time();
	sleep_in_loop(1000);
	double s = (double)(g_get_monotonic_time() - begun_us) / G_USEC_PER_SEC;
	double share = (n_done - before) * (double)WORK_US / (s * G_USEC_PER_SEC);
	g_test_message(
		"%u of the crowd in %.2f s: %.1f %% of a core", n_done - before, s, share * 100);
	g_assert_cmpfloat(share * 100, <=, EFFORT_PERCENT + 1);
	/* On a busy machine a turn of the loop is late, but turns come. */
	g_assert_cmpuint(n_done - before, >, 10);
	/* Who came last goes first, however many a slow machine's long second lets through. */
	g_assert_true(crowd[CROWD - 1].done);
	if (n_done < CROWD / 2)
		g_assert_false(crowd[CROWD / 2].done);
	for (unsigned i = 0; i < CROWD; i++)
		effort_leave(effort, &crowd[i].turn);
	/* Turns that were granted come once more, to nobody. */
	while (g_main_context_iteration(NULL, FALSE))
		;
	for (unsigned i = 0; i < CROWD; i++)
		effort_leave(effort, &crowd[i].turn);
	effort_destroy(effort);
}

/* Debts are paid before a crowd goes on. */
static void test_debt(void)
{
	struct stranger few[EFFORT_FEW] = { 0 }, one = { 0 };
	struct effort *effort = effort_create(on_granted);
	gint64 begun_us = g_get_monotonic_time();
	for (unsigned i = 0; i < EFFORT_FEW; i++) {
		few[i].effort = effort;
		for (unsigned k = 0; k < 8; k++)
			work(&few[i], true);
		g_assert_true(few[i].done);
	}
	one.effort = effort;
	work(&one, false);
	/* Where others take the processors the debt is paid by the time that passes. */
	gint64 took_us = g_get_monotonic_time() - begun_us;
	if (EFFORT_SAVED_US + took_us * EFFORT_PERCENT / 100 < 8 * EFFORT_FEW * WORK_US)
		g_assert_false(one.done);
	else
		g_test_skip("this thread was left too little of a processor");
	sleep_in_loop(1);
	effort_leave(effort, &one.turn);
	effort_destroy(effort);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/effort/crowd", test_crowd);
	g_test_add_func("/effort/debt", test_debt);
	return g_test_run();
}
