/* SPDX-License-Identifier: MIT */
/* streamout_sets: the sets of streamout targets that virglrenderer keeps are counted as it does. */
#include <glib.h>

#include "tests/unit/render/stream/desk.h"

#define FIRST 1000
#define TARGETS 12

static void make_target(struct desk *d, uint32_t handle)
{
	DESK_PUT(d, STREAM_CREATE_OBJECT, STREAM_OBJECT_STREAMOUT_TARGET, handle, DESK_BUFFER, 0,
		16);
}

static uint64_t get_objects(const struct desk *d)
{
	return d->accounts[0].quotas[QUOTA_OBJECTS].used;
}

static enum desk_fate set_three(struct desk *d, uint32_t a, uint32_t b, uint32_t c)
{
	DESK_PUT(d, STREAM_SET_STREAMOUT_TARGETS, 0, 0, a, b, c);
	return desk_send(d);
}

static void begin(struct desk *d)
{
	desk_init(d);
	for (uint32_t i = 0; i < TARGETS; i++)
		make_target(d, FIRST + i);
	g_assert_cmpint(desk_send(d), ==, DESK_PASSED);
}

/* Sets the n-th of all the sets of three. */
static enum desk_fate set_nth(struct desk *d, uint32_t n)
{
	return set_three(d, FIRST + n % TARGETS, FIRST + n / TARGETS % TARGETS,
		FIRST + n / TARGETS / TARGETS % TARGETS);
}

static void set_most(struct desk *d)
{
	for (uint32_t i = 0; i < STREAM_STREAMOUT_SETS_MAX; i++)
		g_assert_cmpint(set_nth(d, i), ==, DESK_PASSED);
}

/* A program may change between all that it has as often as it likes. */
static void test_most(void)
{
	struct desk d;
	begin(&d);
	uint64_t before = get_objects(&d);
	set_most(&d);
	set_most(&d);
	g_assert_cmpuint(get_objects(&d), ==, before + STREAM_STREAMOUT_SETS_MAX);
	DESK_PUT(&d, STREAM_SET_STREAMOUT_TARGETS, 0, 0);
	g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	g_assert_cmpint(set_nth(&d, STREAM_STREAMOUT_SETS_MAX), ==, DESK_REFUSED);
	g_assert_cmpuint(d.fault.limit, ==, STREAM_STREAMOUT_SETS_MAX);
	desk_finish(&d);
}

/* What differs in the number of targets, their order or a 0 is another set. */
static void test_different(void)
{
	struct desk d;
	begin(&d);
	uint64_t before = get_objects(&d);
	DESK_PUT(&d, STREAM_SET_STREAMOUT_TARGETS, 0, 0, FIRST);
	DESK_PUT(&d, STREAM_SET_STREAMOUT_TARGETS, 0, 0, FIRST, 0);
	DESK_PUT(&d, STREAM_SET_STREAMOUT_TARGETS, 0, 0, 0, FIRST);
	DESK_PUT(&d, STREAM_SET_STREAMOUT_TARGETS, 0, 0, FIRST, FIRST + 1);
	DESK_PUT(&d, STREAM_SET_STREAMOUT_TARGETS, 0, 0, FIRST + 1, FIRST);
	DESK_PUT(&d, STREAM_SET_STREAMOUT_TARGETS, 0, 0, 0);
	g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	g_assert_cmpuint(get_objects(&d), ==, before + 6);
	/* What to append to is no part of it. */
	DESK_PUT(&d, STREAM_SET_STREAMOUT_TARGETS, 0, 1, FIRST, FIRST + 1);
	g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	g_assert_cmpuint(get_objects(&d), ==, before + 6);
	desk_finish(&d);
}

/* A set goes with the first of its targets: destroyed, or made anew by the same handle. */
static void test_gone(void)
{
	struct desk d;
	begin(&d);
	uint64_t before = get_objects(&d);
	for (uint32_t i = 0; i < 4 * STREAM_STREAMOUT_SETS_MAX; i++) {
		g_assert_cmpint(set_three(&d, FIRST, 0, FIRST + 1), ==, DESK_PASSED);
		g_assert_cmpint(set_three(&d, FIRST + 2, FIRST + 3, 0), ==, DESK_PASSED);
		g_assert_cmpuint(get_objects(&d), ==, before + 2);
		DESK_PUT(&d, STREAM_DESTROY_OBJECT, STREAM_OBJECT_STREAMOUT_TARGET, FIRST + 1);
		g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
		g_assert_cmpuint(get_objects(&d), ==, before);
		make_target(&d, FIRST + 1);
		make_target(&d, FIRST + 2);
		g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
		g_assert_cmpuint(get_objects(&d), ==, before);
	}
	desk_finish(&d);
}

/* Each sub-context has its own. */
static void test_sub_contexts(void)
{
	struct desk d;
	begin(&d);
	set_most(&d);
	uint64_t before = get_objects(&d);
	DESK_PUT(&d, STREAM_CREATE_SUB_CTX, 0, 5);
	DESK_PUT(&d, STREAM_SET_SUB_CTX, 0, 5);
	make_target(&d, FIRST);
	DESK_PUT(&d, STREAM_SET_STREAMOUT_TARGETS, 0, 0, FIRST, FIRST, FIRST, FIRST);
	g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	g_assert_cmpuint(get_objects(&d), ==, before + 2);
	DESK_PUT(&d, STREAM_SET_SUB_CTX, 0, 5);
	DESK_PUT(&d, STREAM_DESTROY_SUB_CTX, 0, 5);
	g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	g_assert_cmpuint(get_objects(&d), ==, before);
	desk_finish(&d);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/streamout-sets/most", test_most);
	g_test_add_func("/streamout-sets/different", test_different);
	g_test_add_func("/streamout-sets/gone", test_gone);
	g_test_add_func("/streamout-sets/sub-contexts", test_sub_contexts);
	return g_test_run();
}
