/* SPDX-License-Identifier: MIT */
/*
 * making: checks who is late: what counts as waiting, what is saved and regained, and who is
 * spared.
 */
#include <glib.h>

#include "render/quota/making.h"
#include "render/quota/quota.h"
#include "tests/unit/render/quota/warnings.h"

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)
/* Nothing shorter than this counts as a wait. */
#define WAIT MAKING_WAIT_MIN_NS

static struct quota_account guest, flood, desktop;
static uint64_t now_ns;
/* Begins with 200 ms a second, of which 10 s are saved, and two contexts. */
static void begin(void)
{
	struct quota_limits limits;
	quotas_set_initial(&limits);
	g_assert_cmpuint(limits.max[QUOTA_MAKING_TIME] * MAKING_SAVED_S, ==, 10000);
	quota_account_init(&guest, &limits);
	quota_account_init_context(&flood, &guest, 41);
	quota_account_init_context(&desktop, &guest, 42);
	g_assert_true(quota_take(&guest, QUOTA_CONTEXTS, 2));
	now_ns = 1000 * SECOND;
	making_look(&guest, now_ns);
}

static bool is_late(struct quota_account *account)
{
	making_look(account, now_ns);
	return account->making.is_late;
}

/* Makes one command of the flood take this long, with the desktop's drawing behind it. */
static void make_wait(uint64_t ns)
{
	now_ns += ns;
	making_note(&flood, ns, now_ns);
	making_take_turn(&guest, &desktop, now_ns);
}

/* Uses up the saved 10 s, and a fifth of the time that they take. */
static void use_up(void)
{
	for (unsigned n = 0; !is_late(&flood); n++) {
		g_assert_cmpuint(n, <=, 1300);
		make_wait(WAIT);
	}
}

static void test_used_up(void)
{
	begin();
	use_up();
	uint64_t took_ns = now_ns - 1000 * SECOND;
	g_assert_cmpuint(took_ns, >=, 12400 * MS);
	g_assert_cmpuint(took_ns, <=, 12600 * MS);
	g_assert_true(is_late(&guest));
	g_assert_false(is_late(&desktop));
}

/* From then on a flood gets a fifth of the time, however often it asks. */
static void test_share(void)
{
	begin();
	use_up();
	uint64_t began_ns = now_ns, made_ns = 0;
	while (now_ns - began_ns < 100 * SECOND) {
		if (is_late(&flood)) {
			now_ns += MS;
			continue;
		}
		make_wait(WAIT);
		made_ns += WAIT;
	}
	g_assert_cmpuint(made_ns, >=, 19 * SECOND);
	g_assert_cmpuint(made_ns, <=, 21 * SECOND);
}

static void test_alone(void)
{
	begin();
	for (unsigned n = 0; n < 100; n++) {
		now_ns += SECOND;
		making_note(&flood, SECOND, now_ns);
		making_take_turn(&guest, &flood, now_ns); /* its own picture */
		g_assert_false(is_late(&flood));
	}
	g_assert_cmpuint(guest.making.waited_ns, ==, 0);
}

/* Waits shorter than two pictures do not count, if the ring is empty after each. */
static void test_short_waits(void)
{
	begin();
	for (unsigned n = 0; n < 10000; n++) {
		make_wait(WAIT - 1);
		making_rest(&guest);
		g_assert_false(is_late(&flood));
	}
	g_assert_cmpuint(guest.making.waited_ns, ==, 0);
	/* If the ring never empties they add up, whoever comes to a turn between them. */
	make_wait(WAIT / 2);
	make_wait(WAIT / 2);
	g_assert_cmpuint(guest.making.waited_ns, ==, WAIT);
}

/* One turn of a full ring uses no more than is left, when little is. */
static void test_full_ring(void)
{
	begin();
	make_wait(8 * SECOND);
	uint64_t began_ns = now_ns;
	while (!is_late(&flood) && now_ns - began_ns < 20 * SECOND) {
		now_ns += 10 * MS;
		making_note(&flood, 10 * MS, now_ns);
	}
	g_assert_cmpuint(now_ns - began_ns, <, 8 * SECOND);
	making_take_turn(&guest, &desktop, now_ns);
	now_ns += SECOND;
	g_assert_false(is_late(&flood));
}

/* However long one turn was, what is owed is regained in 50 s / 16. */
static void test_debt(void)
{
	begin();
	make_wait(100 * SECOND);
	g_assert_true(is_late(&flood));
	now_ns += 3200 * MS;
	g_assert_false(is_late(&flood));
}

/* What was made before it was known for whom counts for its context afterwards. */
static void test_move(void)
{
	begin();
	now_ns += 20 * SECOND;
	making_note(&guest, 20 * SECOND, now_ns);
	making_move(&flood, 20 * SECOND, now_ns);
	making_take_turn(&guest, &flood, now_ns);
	g_assert_cmpuint(guest.making.waited_ns, ==, 0);
	making_take_turn(&guest, &desktop, now_ns);
	g_assert_cmpuint(guest.making.waited_ns, ==, 20 * SECOND);
	g_assert_true(is_late(&flood));
	g_assert_false(is_late(&desktop));
}

/* A flush of a 2D desktop belongs to no context. */
static void test_shows(void)
{
	begin();
	now_ns += SECOND;
	making_note(&flood, SECOND, now_ns);
	making_take_turn(&guest, NULL, now_ns);
	g_assert_cmpuint(guest.making.waited_ns, ==, SECOND);
}

/* A context that makes little goes on, and so does the desktop itself, whatever it makes. */
static void test_others(void)
{
	begin();
	use_up();
	making_note(&desktop, MAKING_OWN_NS - MS, now_ns);
	g_assert_false(is_late(&desktop));
	/* This is half of what the two have on average. */
	making_note(&desktop, SECOND, now_ns);
	g_assert_false(is_late(&desktop));
	making_note(&desktop, 4 * SECOND, now_ns);
	g_assert_true(is_late(&desktop));
	desktop.making.is_spared = true;
	g_assert_false(is_late(&desktop));
}

/* A program that was refused ends its context and makes another one, which is refused, too. */
static void test_anew(void)
{
	begin();
	use_up();
	quota_account_finish_context(&flood);
	quota_account_init_context(&flood, &guest, 41);
	g_assert_true(is_late(&flood));
	now_ns += 4 * SECOND;
	g_assert_false(is_late(&flood));
}

/* There are many contexts, each of which has made little. */
static void test_many(void)
{
	struct quota_account many[100];
	begin();
	g_assert_true(quota_take(&guest, QUOTA_CONTEXTS, 98));
	for (unsigned i = 0; i < 100; i++)
		quota_account_init_context(&many[i], &guest, 100 + i);
	for (unsigned n = 0; n < 13000; n++) {
		now_ns += MS;
		making_note(&many[n % 100], MS, now_ns);
		making_take_turn(&guest, &desktop, now_ns);
	}
	for (unsigned i = 0; i < 100; i++)
		g_assert_true(is_late(&many[i]));
}

static void test_refused(void)
{
	begin();
	use_up();
	warnings_n = 0;
	for (unsigned n = 0; n < 3; n++)
		g_assert_false(quota_take(&flood, QUOTA_SHADERS, 1));
	g_assert_cmpuint(flood.quotas[QUOTA_SHADERS].used, ==, 0);
	g_assert_true(quota_take(&flood, QUOTA_OBJECTS, 1));
	g_assert_true(quota_take(&desktop, QUOTA_SHADERS, 1));
	g_assert_cmpuint(desktop.making.n_made, ==, 1);
	g_assert_cmpuint(guest.making.n_refused, ==, 3);
	g_assert_cmpuint(warnings_n, ==, 1);
	g_assert_true(g_pattern_match_simple(
		"context 41: *making-time*waited 10000 ms *200 ms of each second*", warnings_last));
}

/* What a program compiles is bounded by what is left, if another one draws. */
static void test_compiling(void)
{
	begin();
	making_note_drawn(&flood, now_ns);
	make_wait(8 * SECOND);
	g_assert_false(is_late(&flood));
	g_assert_cmpuint(making_get_compile_ns(&flood, now_ns), ==, MAKING_COMPILE_MAX_NS);
	making_note_drawn(&desktop, now_ns);
	making_note_drawn(&flood, now_ns);
	g_assert_cmpuint(making_get_compile_ns(&flood, now_ns), ==, 2 * SECOND);
	making_note(&flood, SECOND, now_ns);
	g_assert_cmpuint(making_get_compile_ns(&flood, now_ns), ==, SECOND);
	use_up();
	making_note_drawn(&desktop, now_ns);
	making_note_drawn(&flood, now_ns);
	g_assert_cmpuint(making_get_compile_ns(&flood, now_ns), ==, MAKING_COMPILE_MIN_NS);
	/* What is found on disk is no matter. */
	making_note_compiled(&flood, MAKING_COMPILED_NS - 1);
	g_assert_cmpuint(making_get_compile_ns(&flood, now_ns), ==, MAKING_COMPILE_MIN_NS);
	making_note_compiled(&flood, MAKING_COMPILED_NS);
	g_assert_cmpuint(making_get_compile_ns(&flood, now_ns), ==, 0);
	now_ns += 4 * SECOND;
	g_assert_false(is_late(&flood));
	g_assert_cmpuint(making_get_compile_ns(&flood, now_ns), >, MAKING_COMPILE_MIN_NS);
	making_note_compiled(&flood, 0);
	use_up();
	g_assert_cmpuint(making_get_compile_ns(&flood, now_ns), >=, MAKING_COMPILE_MIN_NS);
	g_assert_cmpuint(flood.making.compiled_ns, ==, 2 * MAKING_COMPILED_NS - 1);
}

/* Who waits behind a full ring is not heard of, but has drawn just before. */
static void test_compiling_full_ring(void)
{
	begin();
	making_note_drawn(&desktop, now_ns);
	for (unsigned n = 0; n < 90; n++) {
		making_note_drawn(&flood, now_ns);
		g_assert_cmpuint(making_get_compile_ns(&flood, now_ns), >, 0);
		now_ns += SECOND / 10;
		making_note(&flood, SECOND / 10, now_ns);
		making_note_compiled(&flood, SECOND / 10);
	}
	g_assert_cmpuint(making_get_compile_ns(&flood, now_ns), <=, 2 * SECOND);
	making_note(&flood, 2 * SECOND, now_ns);
	g_assert_cmpuint(making_get_compile_ns(&flood, now_ns), ==, 0);
	/* Then nobody else has drawn, and none waits. */
	now_ns += 60 * SECOND;
	making_look(&flood, now_ns);
	g_assert_cmpuint(making_get_compile_ns(&flood, now_ns), ==, MAKING_COMPILE_MAX_NS);
}

/* The desktop itself compiles as long as anybody may, though others have used all up. */
static void test_compiling_spared(void)
{
	begin();
	use_up();
	making_note(&desktop, 5 * SECOND, now_ns);
	making_note_compiled(&desktop, 5 * SECOND);
	g_assert_true(is_late(&desktop));
	g_assert_cmpuint(making_get_compile_ns(&desktop, now_ns), ==, 0);
	desktop.making.is_spared = true;
	g_assert_false(is_late(&desktop));
	g_assert_cmpuint(making_get_compile_ns(&desktop, now_ns), ==, MAKING_COMPILE_MAX_NS);
}

/* The log does not say that somebody waits where nobody does. */
static void test_long(void)
{
	begin();
	warnings_n = 0;
	making_refuse_long(&flood);
	making_refuse_long(&flood);
	g_assert_cmpuint(guest.making.n_refused, ==, 2);
	g_assert_cmpuint(warnings_n, ==, 1);
	g_assert_true(g_pattern_match_simple(
		"context 41: one submission *compiled for 6000 ms*", warnings_last));
}

/* With all of each second allowed nothing is refused, also of what takes longer than is saved. */
static void test_unlimited(void)
{
	begin();
	guest.quotas[QUOTA_MAKING_TIME].limit = quota_rows[QUOTA_MAKING_TIME].max;
	making_note_drawn(&desktop, now_ns);
	making_note(&flood, 100 * SECOND, now_ns);
	making_note_compiled(&flood, 100 * SECOND);
	making_note_drawn(&flood, now_ns);
	g_assert_cmpuint(making_get_compile_ns(&flood, now_ns), ==, UINT64_MAX);
	g_assert_false(is_late(&flood));
}

/* No clock has such times, but nothing overflows. */
static void test_largest(void)
{
	struct quota_limits limits;
	quotas_set_initial(&limits);
	limits.max[QUOTA_MAKING_TIME] = quota_rows[QUOTA_MAKING_TIME].max;
	quota_account_init(&guest, &limits);
	now_ns = INT64_MAX;
	making_note(&guest, SECOND, now_ns);
	g_assert_false(is_late(&guest));
	g_assert_cmpint(guest.making.left_ns, ==, 50 * (int64_t)SECOND);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	warnings_begin();
	/* This test comes first, while the log still says each thing. */
	g_test_add_func("/making/refused", test_refused);
	g_test_add_func("/making/used-up", test_used_up);
	g_test_add_func("/making/share", test_share);
	g_test_add_func("/making/alone", test_alone);
	g_test_add_func("/making/short-waits", test_short_waits);
	g_test_add_func("/making/full-ring", test_full_ring);
	g_test_add_func("/making/debt", test_debt);
	g_test_add_func("/making/move", test_move);
	g_test_add_func("/making/shows", test_shows);
	g_test_add_func("/making/others", test_others);
	g_test_add_func("/making/anew", test_anew);
	g_test_add_func("/making/many", test_many);
	g_test_add_func("/making/compiling", test_compiling);
	g_test_add_func("/making/compiling-full-ring", test_compiling_full_ring);
	g_test_add_func("/making/compiling-spared", test_compiling_spared);
	g_test_add_func("/making/long", test_long);
	g_test_add_func("/making/unlimited", test_unlimited);
	g_test_add_func("/making/largest", test_largest);
	int result = g_test_run();
	warnings_end();
	return result;
}
