/* SPDX-License-Identifier: MIT */
/* hot_spot: tests what is found out of where cursors point. */
#include "display/heads/hot_spot.h"

#include <glib.h>

#define PIXELS (FRAME_CURSOR_SIZE * FRAME_CURSOR_SIZE)

/* Draws a square from 2,3 to 19,29, in a colour of its own. */
static void draw(uint32_t pixels[PIXELS], uint32_t colour)
{
	for (uint32_t i = 0; i < PIXELS; i++) {
		uint32_t x = i % FRAME_CURSOR_SIZE, y = i / FRAME_CURSOR_SIZE;
		pixels[i] = x >= 2 && x < 20 && y >= 3 && y < 30 ? 0x01000000 | colour : 0;
	}
}

static void expect_shown(struct hot_spot *spot, uint32_t colour, uint32_t x, uint32_t y)
{
	uint32_t pixels[PIXELS], got_x = 0, got_y = 0;
	draw(pixels, colour);
	hot_spot_show(spot, pixels, &got_x, &got_y);
	g_assert_cmpuint(got_x, ==, x);
	g_assert_cmpuint(got_y, ==, y);
}

static bool settles(struct hot_spot *spot, int64_t dx, int64_t dy)
{
	uint32_t x = 99, y = 99;
	bool new = hot_spot_settle(spot, dx, dy, &x, &y);
	g_assert_cmpuint(x, ==, new ? dx : 99);
	g_assert_cmpuint(y, ==, new ? dy : 99);
	return new;
}

static void test_found(void)
{
	struct hot_spot spot = { 0 };
	g_assert_false(settles(&spot, 4, 8));
	expect_shown(&spot, 1, 0, 0);
	g_assert_true(settles(&spot, 4, 8));
	g_assert_false(settles(&spot, 4, 8));
	expect_shown(&spot, 2, 0, 0);
	g_assert_true(settles(&spot, 19, 29));
	expect_shown(&spot, 1, 4, 8);
	expect_shown(&spot, 2, 19, 29);
}

/* A pointer that the guest has moved by itself says nothing. */
static void test_outside(void)
{
	struct hot_spot spot = { 0 };
	expect_shown(&spot, 1, 0, 0);
	static const int64_t places[][2] = { { 1, 8 }, { 20, 8 }, { 4, 2 }, { 4, 30 }, { -4, 8 },
		{ INT64_MAX, INT64_MIN }, { 0, 0 } };
	for (unsigned i = 0; i < G_N_ELEMENTS(places); i++)
		g_assert_false(settles(&spot, places[i][0], places[i][1]));
	expect_shown(&spot, 1, 0, 0);
}

static void test_doubt(void)
{
	struct hot_spot spot = { 0 };
	expect_shown(&spot, 1, 0, 0);
	g_assert_true(settles(&spot, 4, 8));
	g_assert_false(settles(&spot, 5, 8));
	g_assert_false(settles(&spot, 4, 8));
	g_assert_false(settles(&spot, 5, 8));
	g_assert_false(settles(&spot, 6, 8));
	g_assert_true(settles(&spot, 6, 8));
	expect_shown(&spot, 1, 6, 8);
}

/* A picture that shows nothing has none, and what the guest says itself counts. */
static void test_given(void)
{
	struct hot_spot spot = { 0 };
	uint32_t pixels[PIXELS] = { 0 }, x = 0, y = 0;
	hot_spot_show(&spot, pixels, &x, &y);
	g_assert_false(settles(&spot, 0, 0));
	draw(pixels, 1);
	x = 7;
	hot_spot_show(&spot, pixels, &x, &y);
	g_assert_cmpuint(x, ==, 7);
	g_assert_cmpuint(y, ==, 0);
	g_assert_false(settles(&spot, 4, 8));
}

static void test_many(void)
{
	struct hot_spot spot = { 0 };
	for (uint32_t i = 1; i <= HOT_SPOT_SHAPES + 1; i++) {
		expect_shown(&spot, i, 0, 0);
		g_assert_true(settles(&spot, 4, 3 + i % 20));
	}
	expect_shown(&spot, HOT_SPOT_SHAPES, 4, 3 + HOT_SPOT_SHAPES % 20);
	expect_shown(&spot, 1, 0, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/hot-spot/found", test_found);
	g_test_add_func("/hot-spot/outside", test_outside);
	g_test_add_func("/hot-spot/doubt", test_doubt);
	g_test_add_func("/hot-spot/given", test_given);
	g_test_add_func("/hot-spot/many", test_many);
	return g_test_run();
}
