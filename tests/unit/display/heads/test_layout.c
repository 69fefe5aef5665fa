/* SPDX-License-Identifier: MIT */
/* layout: tests where a client's monitors lie on the desktop. */
#include "display/heads/layout.h"

#include <glib.h>

#include "display/heads/limits.h"

static struct frame_head_mode at(uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	return (struct frame_head_mode){
		.enabled = 1, .x = x, .y = y, .width = width, .height = height
	};
}

static void expect(const struct frame_head_mode *head, uint32_t x, uint32_t y)
{
	g_assert_cmpuint(head->x, ==, x);
	g_assert_cmpuint(head->y, ==, y);
}

static void test_as_asked(void)
{
	struct frame_head_mode heads[] = { at(1280, 0, 800, 600), { 0 }, at(0, 300, 1280, 720) };
	g_assert_true(layout_arrange(heads, G_N_ELEMENTS(heads)));
	expect(&heads[0], 1280, 0);
	expect(&heads[1], 0, 0);
	expect(&heads[2], 0, 300);
}

/* The pointer's positions count from the desktop's corner. */
static void test_origin(void)
{
	struct frame_head_mode heads[] = { at(5, 40, 640, 480), at(645, 20, 640, 480) };
	g_assert_true(layout_arrange(heads, G_N_ELEMENTS(heads)));
	expect(&heads[0], 0, 20);
	expect(&heads[1], 640, 0);
}

static void test_overlap(void)
{
	struct frame_head_mode heads[] = { at(0, 0, 640, 480), { 0 }, at(639, 479, 800, 600) };
	g_assert_true(layout_arrange(heads, G_N_ELEMENTS(heads)));
	expect(&heads[0], 0, 0);
	expect(&heads[2], 640, 0);
	struct frame_head_mode touching[] = { at(0, 0, 640, 480), at(640, 479, 800, 600) };
	g_assert_true(layout_arrange(touching, G_N_ELEMENTS(touching)));
	expect(&touching[1], 640, 479);
}

static void test_absurd(void)
{
	struct frame_head_mode far[] = { at(0, 0, 640, 480), at(2000000000, 7, 640, 480) };
	g_assert_true(layout_arrange(far, G_N_ELEMENTS(far)));
	expect(&far[1], 640, 0);
	struct frame_head_mode largest[FRAME_HEADS_MAX];
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++)
		largest[i] = at(0, 0, FRAME_SIZE_MAX, FRAME_SIZE_MAX);
	g_assert_false(layout_arrange(largest, FRAME_HEADS_MAX));
	g_assert_true(layout_arrange(largest, 1));
	struct frame_head_mode wrapping[] = { at(UINT32_MAX, 0, 2, 2), at(0, 0, 2, 2) };
	g_assert_true(layout_arrange(wrapping, 2));
	expect(&wrapping[0], 0, 0);
	expect(&wrapping[1], 2, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/layout/as-asked", test_as_asked);
	g_test_add_func("/layout/origin", test_origin);
	g_test_add_func("/layout/overlap", test_overlap);
	g_test_add_func("/layout/absurd", test_absurd);
	return g_test_run();
}
