/* SPDX-License-Identifier: MIT */
/*
 * damage: checks that nothing that was added is ever missing from what is taken, however long the
 * list gets.
 */
#include "display/heads/damage.h"

#include <glib.h>
#include <string.h>

#define WIDTH 640u
#define HEIGHT 480u

static uint8_t covered[HEIGHT][WIDTH];

static unsigned take_all(struct damage *damage, uint64_t pixels_max)
{
	struct rect rect;
	unsigned n = 0;
	memset(covered, 0, sizeof(covered));
	while (damage_take(damage, pixels_max, &rect)) {
		g_assert_cmpuint(rect.x + rect.width, <=, damage->width);
		g_assert_cmpuint(rect.y + rect.height, <=, damage->height);
		g_assert_cmpuint(rect.width, >, 0);
		g_assert_cmpuint(rect.height, >, 0);
		for (uint32_t y = rect.y; y < rect.y + rect.height; y++)
			memset(&covered[y][rect.x], 1, rect.width);
		n++;
	}
	g_assert_true(damage_is_empty(damage));
	return n;
}

static struct damage *damage_new(void)
{
	struct damage *damage = g_new(struct damage, 1);
	damage_reset(damage, WIDTH, HEIGHT);
	return damage;
}

static void test_clips(void)
{
	g_autofree struct damage *damage = damage_new();
	const struct rect outside[] = {
		{ WIDTH, 0, 10, 10 },
		{ 0, HEIGHT, 10, 10 },
		{ 0, 0, 0, 10 },
		{ UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(outside); i++)
		damage_add(damage, &outside[i]);
	g_assert_true(damage_is_empty(damage));

	struct rect huge = { WIDTH - 1, HEIGHT - 2, UINT32_MAX, UINT32_MAX };
	damage_add(damage, &huge);
	g_assert_cmpuint(damage_area(damage), ==, 2);
}

static void test_contained(void)
{
	g_autofree struct damage *damage = damage_new();
	struct rect inner = { 10, 10, 5, 5 }, outer = { 5, 5, 20, 20 };
	damage_add(damage, &inner);
	damage_add(damage, &outer);
	damage_add(damage, &inner);
	g_assert_cmpuint(damage->n_rects, ==, 1);
	g_assert_cmpuint(damage_area(damage), ==, 400);
	damage_add_all(damage);
	g_assert_cmpuint(damage->n_rects, ==, 1);
}

static void test_splits_by_rows(void)
{
	g_autofree struct damage *damage = damage_new();
	damage_add_all(damage);
	g_assert_cmpuint(take_all(damage, WIDTH * 100), ==, 5);
	for (unsigned y = 0; y < HEIGHT; y++)
		g_assert_cmpuint(covered[y][0] & covered[y][WIDTH - 1], ==, 1);
	damage_add_all(damage);
	g_assert_cmpuint(take_all(damage, 1), ==, HEIGHT);
}

static void test_keeps_the_rectangle(void)
{
	g_autofree struct damage *damage = damage_new();
	struct rect a = { 1, 2, 300, 200 }, b = { 100, 100, 300, 200 }, taken;
	damage_add(damage, &a);
	damage_add(damage, &b);
	g_assert_true(damage_take(damage, UINT64_MAX, &taken));
	g_assert_cmpmem(&taken, sizeof(taken), &a, sizeof(a));
	g_assert_true(damage_take(damage, UINT64_MAX, &taken));
	g_assert_cmpmem(&taken, sizeof(taken), &b, sizeof(b));
}

/*
 * Far more rectangles are added than the list holds, from one pixel to large, so it also folds
 * them.
 */
static void test_nothing_lost(void)
{
	g_autofree struct damage *damage = damage_new();
	static uint8_t wanted[HEIGHT][WIDTH];
	g_autoptr(GRand) random = g_rand_new_with_seed(7);
	for (unsigned i = 0; i < 10 * DAMAGE_RECTS_MAX; i++) {
		struct rect rect = {
			(uint32_t)g_rand_int_range(random, 0, WIDTH),
			(uint32_t)g_rand_int_range(random, 0, HEIGHT),
			(uint32_t)g_rand_int_range(random, 1, 9),
			(uint32_t)g_rand_int_range(random, 1, 9),
		};
		damage_add(damage, &rect);
		g_assert_cmpuint(damage->n_rects, <=, DAMAGE_RECTS_MAX);
		for (uint32_t y = rect.y; y < MIN(rect.y + rect.height, HEIGHT); y++)
			memset(&wanted[y][rect.x], 1, MIN(rect.width, WIDTH - rect.x));
	}
	take_all(damage, UINT64_MAX);
	for (unsigned y = 0; y < HEIGHT; y++) {
		for (unsigned x = 0; x < WIDTH; x++)
			g_assert_cmpuint(covered[y][x], >=, wanted[y][x]);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/damage/clips", test_clips);
	g_test_add_func("/damage/contained", test_contained);
	g_test_add_func("/damage/splits-by-rows", test_splits_by_rows);
	g_test_add_func("/damage/keeps-the-rectangle", test_keeps_the_rectangle);
	g_test_add_func("/damage/nothing-lost", test_nothing_lost);
	return g_test_run();
}
