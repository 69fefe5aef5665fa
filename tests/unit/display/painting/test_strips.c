/* SPDX-License-Identifier: MIT */
/*
 * strips: checks that what differs is always inside the rectangles, and that what is equal costs
 * none.
 */
#include "display/painting/strips.h"

#include <glib.h>
#include <string.h>

struct screen {
	uint32_t width, height;
	uint32_t *guest, *client;
	struct strips *strips;
};

static void screen_init(struct screen *screen, uint32_t width, uint32_t height)
{
	*screen = (struct screen){ .width = width, .height = height };
	screen->guest = g_new0(uint32_t, (size_t)width * height);
	screen->client = g_new0(uint32_t, (size_t)width * height);
	memset(screen->client, 0xee, (size_t)width * height * 4);
	screen->strips = strips_create(width, height);
}

static void screen_finish(struct screen *screen)
{
	strips_destroy(screen->strips);
	g_free(screen->guest);
	g_free(screen->client);
}

static void draw(struct screen *screen, struct rect rect, uint32_t seed)
{
	for (uint32_t y = rect.y; y < rect.y + rect.height; y++) {
		for (uint32_t x = rect.x; x < rect.x + rect.width; x++)
			screen->guest[(size_t)y * screen->width + x] = seed * 2654435761u + x * y;
	}
}

/* Sends what the strips say of what was flushed; returns the number of rectangles. */
static unsigned update(struct screen *screen, struct rect flushed, unsigned n_max)
{
	struct rect rects[64];
	g_assert_cmpuint(n_max, <=, G_N_ELEMENTS(rects));
	strips_look(screen->strips, (uint8_t *)screen->guest, screen->width * 4, &flushed);
	unsigned n = strips_take(screen->strips, rects, n_max);
	g_assert_cmpuint(n, <=, n_max);
	for (unsigned i = 0; i < n; i++) {
		const struct rect *rect = &rects[i];
		g_assert_cmpuint(rect->x + rect->width, <=, screen->width);
		g_assert_cmpuint(rect->y + rect->height, <=, screen->height);
		for (uint32_t y = rect->y; y < rect->y + rect->height; y++)
			memcpy(screen->client + (size_t)y * screen->width + rect->x,
				screen->guest + (size_t)y * screen->width + rect->x,
				rect->width * 4);
	}
	return n;
}

static struct rect all(const struct screen *screen)
{
	return (struct rect){ 0, 0, screen->width, screen->height };
}

static void expect_equal(const struct screen *screen)
{
	size_t bytes = (size_t)screen->width * screen->height * 4;
	g_assert_cmpmem(screen->guest, bytes, screen->client, bytes);
}

static void run(uint32_t width, uint32_t height, unsigned n_max)
{
	struct screen screen;
	g_autoptr(GRand) random = g_rand_new_with_seed(width * height + n_max);
	screen_init(&screen, width, height);
	g_assert_cmpuint(update(&screen, all(&screen), n_max), ==, 1);
	expect_equal(&screen);
	for (unsigned i = 0; i < 300; i++) {
		unsigned n = (unsigned)g_rand_int_range(random, 0, i % 2 ? 40 : 3);
		for (unsigned j = 0; j < n; j++) {
			uint32_t x = (uint32_t)g_rand_int_range(random, 0, (int)width);
			uint32_t y = (uint32_t)g_rand_int_range(random, 0, (int)height);
			uint32_t w =
				(uint32_t)g_rand_int_range(random, 1, (int)MIN(width - x, 90) + 1);
			uint32_t h = (uint32_t)g_rand_int_range(
				random, 1, (int)MIN(height - y, i % 2 ? 50 : 9) + 1);
			draw(&screen, (struct rect){ x, y, w, h }, i * 40 + j);
		}
		unsigned n_rects = update(&screen, all(&screen), n_max);
		g_assert_true(n == 0 ? n_rects == 0 : n_rects > 0);
		expect_equal(&screen);
		g_assert_cmpuint(update(&screen, all(&screen), n_max), ==, 0);
	}
	screen_finish(&screen);
}

static void test_random(void)
{
	run(640, 480, 64);
	run(799, 599, 64);
	run(333, 17, 8);
	run(1, 1, 1);
	run(33, 700, 1);
}

/* One letter of a terminal costs a rectangle a strip wide and its rows high. */
static void test_small_change_is_small(void)
{
	struct screen screen;
	struct rect rects[4];
	screen_init(&screen, 1920, 1080);
	update(&screen, all(&screen), 64);
	struct rect letter = { 104, 323, 8, 12 }, whole = all(&screen);
	draw(&screen, letter, 5);
	strips_look(screen.strips, (uint8_t *)screen.guest, screen.width * 4, &whole);
	g_assert_cmpuint(strips_take(screen.strips, rects, G_N_ELEMENTS(rects)), ==, 1);
	g_assert_cmpuint(rects[0].x, ==, 96);
	g_assert_cmpuint(rects[0].width, ==, STRIPS_STRIP);
	g_assert_cmpuint(rects[0].y, ==, letter.y);
	g_assert_cmpuint(rects[0].height, ==, letter.height);
	screen_finish(&screen);
}

/*
 * The next letter is known to the pixel, even if somebody flushes everything; also past a tile's
 * edge.
 */
static void test_letters_are_exact(void)
{
	struct screen screen;
	struct rect rects[4];
	screen_init(&screen, 1920, 1080);
	update(&screen, all(&screen), 64);
	draw(&screen, (struct rect){ 104, 323, 8, 12 }, 5);
	update(&screen, all(&screen), 64);
	for (uint32_t i = 1; i < 40; i++) {
		struct rect letter = { 104 + i * 9, 323, 7, 12 }, whole = all(&screen);
		draw(&screen, letter, 5 + i);
		strips_look(screen.strips, (uint8_t *)screen.guest, screen.width * 4, &whole);
		g_assert_cmpuint(strips_take(screen.strips, rects, G_N_ELEMENTS(rects)), ==, 1);
		g_assert_cmpmem(&rects[0], sizeof(rects[0]), &letter, sizeof(letter));
	}
	screen_finish(&screen);
}

/* What was kept of a tile is worth nothing once it shows something else or is not known. */
static void test_kept_is_not_trusted(void)
{
	struct screen screen;
	struct rect letter = { 104, 320, 8, 16 }, tile = { 96, 320, 32, 16 };
	uint32_t kept[16][32];
	screen_init(&screen, 640, 480);
	update(&screen, all(&screen), 64);
	draw(&screen, letter, 5);
	update(&screen, all(&screen), 64);
	for (uint32_t y = 0; y < 16; y++)
		memcpy(kept[y], screen.guest + (tile.y + y) * screen.width + tile.x,
			sizeof(kept[y]));
	draw(&screen, all(&screen), 6); /* too much to be kept */
	update(&screen, all(&screen), 64);
	for (uint32_t y = 0; y < 16; y++)
		memcpy(screen.guest + (tile.y + y) * screen.width + tile.x, kept[y],
			sizeof(kept[y]));
	draw(&screen, letter, 7);
	update(&screen, all(&screen), 64);
	expect_equal(&screen);
	memset(screen.client, 0xee, (size_t)640 * 480 * 4);
	struct rect whole = all(&screen);
	strips_forget(screen.strips, &whole);
	draw(&screen, letter, 8);
	update(&screen, all(&screen), 64);
	expect_equal(&screen);
	screen_finish(&screen);
}

/* Two windows far apart stay two rectangles. */
static void test_far_apart(void)
{
	struct screen screen;
	screen_init(&screen, 1920, 1080);
	update(&screen, all(&screen), 64);
	draw(&screen, (struct rect){ 10, 10, 300, 200 }, 6);
	draw(&screen, (struct rect){ 1500, 800, 300, 200 }, 7);
	g_assert_cmpuint(update(&screen, all(&screen), 64), ==, 2);
	expect_equal(&screen);
	screen_finish(&screen);
}

static void test_forget(void)
{
	struct screen screen;
	screen_init(&screen, 640, 480);
	update(&screen, all(&screen), 64);
	struct rect lost = { 100, 100, 50, 50 };
	strips_forget(screen.strips, &lost);
	memset(screen.client, 0xee, 4);
	g_assert_cmpuint(update(&screen, (struct rect){ 0, 300, 640, 100 }, 64), ==, 0);
	g_assert_cmpuint(update(&screen, all(&screen), 64), ==, 1);
	screen.client[0] = screen.guest[0];
	expect_equal(&screen);
	screen_finish(&screen);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/strips/random", test_random);
	g_test_add_func("/strips/small-change-is-small", test_small_change_is_small);
	g_test_add_func("/strips/letters-are-exact", test_letters_are_exact);
	g_test_add_func("/strips/kept-is-not-trusted", test_kept_is_not_trusted);
	g_test_add_func("/strips/far-apart", test_far_apart);
	g_test_add_func("/strips/forget", test_forget);
	return g_test_run();
}
