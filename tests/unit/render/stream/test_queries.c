/* SPDX-License-Identifier: MIT */
/* queries: a query's result is asked for when there is one, and while it may be. */
#include <glib.h>

#include "tests/unit/render/stream/desk.h"

static enum desk_fate send(struct desk *d, uint32_t number)
{
	DESK_PUT(d, number, 0, DESK_QUERY);
	return desk_send(d);
}

static enum desk_fate ask(struct desk *d)
{
	DESK_PUT(d, STREAM_GET_QUERY_RESULT, 0, DESK_QUERY, 1);
	return desk_send(d);
}

static void test_result(void)
{
	struct desk d;
	desk_init(&d);
	g_assert_cmpint(ask(&d), ==, DESK_MENDED);
	g_assert_cmpint(send(&d, STREAM_BEGIN_QUERY), ==, DESK_PASSED);
	g_assert_cmpint(ask(&d), ==, DESK_MENDED);
	g_assert_cmpint(send(&d, STREAM_END_QUERY), ==, DESK_PASSED);
	g_assert_cmpint(ask(&d), ==, DESK_PASSED);
	g_assert_cmpint(ask(&d), ==, DESK_PASSED);
	g_assert_cmpint(send(&d, STREAM_BEGIN_QUERY), ==, DESK_PASSED);
	g_assert_cmpint(ask(&d), ==, DESK_MENDED);
	desk_finish(&d);
}

/* Timestamps end without having begun. */
static void test_end_alone(void)
{
	struct desk d;
	desk_init(&d);
	g_assert_cmpint(send(&d, STREAM_END_QUERY), ==, DESK_PASSED);
	g_assert_cmpint(ask(&d), ==, DESK_PASSED);
	desk_finish(&d);
}

/* A query that is made anew has no result. */
static void test_made_anew(void)
{
	struct desk d;
	desk_init(&d);
	g_assert_cmpint(send(&d, STREAM_END_QUERY), ==, DESK_PASSED);
	DESK_PUT(&d, STREAM_CREATE_OBJECT, STREAM_OBJECT_QUERY, DESK_QUERY, 0, 0, DESK_CUSTOM);
	g_assert_cmpint(desk_send(&d), ==, DESK_PASSED);
	g_assert_cmpint(ask(&d), ==, DESK_MENDED);
	desk_finish(&d);
}

static enum desk_fate condition(struct desk *d, uint32_t query)
{
	DESK_PUT(d, STREAM_SET_RENDER_CONDITION, 0, query, 0, 0);
	return desk_send(d);
}

static enum desk_fate make(struct desk *d, uint32_t query)
{
	DESK_PUT(d, STREAM_CREATE_OBJECT, STREAM_OBJECT_QUERY, query, 0, 0, DESK_CUSTOM);
	return desk_send(d);
}

/* A query lives while a condition asks for its result, and no longer is found. */
static void test_condition(void)
{
	struct desk d;
	desk_init(&d);
	g_assert_cmpint(condition(&d, DESK_QUERY), ==, DESK_PASSED);
	g_assert_cmpint(send(&d, STREAM_DESTROY_OBJECT), ==, DESK_MENDED);
	g_assert_cmpint(condition(&d, 0), ==, DESK_PASSED);
	g_assert_cmpint(condition(&d, DESK_QUERY), ==, DESK_PASSED);
	g_assert_cmpint(send(&d, STREAM_BEGIN_QUERY), ==, DESK_REFUSED);
	desk_finish(&d);
}

static void test_condition_ends(void)
{
	struct desk d;
	desk_init(&d);
	g_assert_cmpint(condition(&d, DESK_QUERY), ==, DESK_PASSED);
	g_assert_cmpint(condition(&d, 0), ==, DESK_PASSED);
	g_assert_cmpint(condition(&d, 0), ==, DESK_PASSED);
	g_assert_cmpint(send(&d, STREAM_DESTROY_OBJECT), ==, DESK_PASSED);
	desk_finish(&d);
}

/* The first condition holds until it is ended. */
static void test_two_conditions(void)
{
	struct desk d;
	desk_init(&d);
	g_assert_cmpint(make(&d, 1), ==, DESK_PASSED);
	g_assert_cmpint(condition(&d, DESK_QUERY), ==, DESK_PASSED);
	g_assert_cmpint(condition(&d, 1), ==, DESK_MENDED);
	g_assert_cmpint(make(&d, 1), ==, DESK_PASSED);
	g_assert_cmpint(make(&d, DESK_QUERY), ==, DESK_REFUSED);
	desk_finish(&d);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/queries/result", test_result);
	g_test_add_func("/queries/end alone", test_end_alone);
	g_test_add_func("/queries/made anew", test_made_anew);
	g_test_add_func("/queries/condition", test_condition);
	g_test_add_func("/queries/condition ends", test_condition_ends);
	g_test_add_func("/queries/two conditions", test_two_conditions);
	return g_test_run();
}
