/* SPDX-License-Identifier: MIT */
/* rect: checks rectangles of any values, and bounded sets of them. */
#include <glib.h>

#include "common/rect_set.h"

static bool covers(const struct rect_set *set, uint32_t x, uint32_t y)
{
	struct rect pixel = { x, y, 1, 1 };
	for (unsigned i = 0; i < set->n_rects; i++) {
		if (rect_contains(&set->rects[i], &pixel))
			return true;
	}
	return false;
}

/* However many rectangles are added, none is lost and the bound is kept. */
static void test_set(void)
{
	struct rect_set set = { 0 };
	uint32_t seed = 1;
	for (int i = 0; i < 1000; i++) {
		seed = seed * 1664525 + 1013904223;
		struct rect r = { seed >> 22, seed >> 12 & 1023, 1 + (seed & 31),
			1 + (seed >> 5 & 31) };
		rect_set_add(&set, &r);
		g_assert_cmpuint(set.n_rects, <=, RECT_SET_MAX);
		g_assert_true(covers(&set, r.x, r.y));
		g_assert_true(covers(&set, r.x + r.width - 1, r.y + r.height - 1));
	}
	struct rect all = { 0, 0, 4096, 4096 };
	rect_set_add(&set, &all);
	g_assert_cmpuint(set.n_rects, ==, 1);
	rect_set_remove_covered(&set, &(struct rect){ 1, 1, 5000, 5000 });
	g_assert_false(rect_set_is_empty(&set));
	rect_set_remove_covered(&set, &all);
	g_assert_true(rect_set_is_empty(&set));
}

static void test_rects(void)
{
	struct rect a = { 10, 10, 10, 10 }, far = { 0xfffffff0, 0, 0x20, 1 };
	struct rect r;
	g_assert_true(rect_intersect(&a, &(struct rect){ 15, 0, 100, 12 }, &r));
	g_assert_cmpuint(r.x, ==, 15);
	g_assert_cmpuint(r.width, ==, 5);
	g_assert_cmpuint(r.height, ==, 2);
	g_assert_false(rect_intersect(&a, &(struct rect){ 20, 0, 1, 1 }, &r));
	g_assert_cmpuint(r.width, ==, 5);
	/* Edges beyond 32 bits do not wrap round. */
	g_assert_false(rect_intersect(&far, &(struct rect){ 0, 0, 16, 16 }, &r));
	g_assert_false(rect_contains(&(struct rect){ 0, 0, 0x20, 1 }, &far));
	g_assert_true(rect_fits(&a, 20, 20));
	g_assert_false(rect_fits(&a, 19, 20));
	g_assert_false(rect_fits(&far, 0xffffffff, 1));
	g_assert_false(rect_fits(&(struct rect){ 1, 0, 0xffffffff, 1 }, 100, 100));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rect/set", test_set);
	g_test_add_func("/rect/rects", test_rects);
	return g_test_run();
}
