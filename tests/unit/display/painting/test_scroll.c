/* SPDX-License-Identifier: MIT */
/*
 * scroll: checks that what moved is found, and that what is sent besides makes the picture right.
 */
#include "display/painting/scroll.h"

#include <glib.h>
#include <string.h>

#include "common/rect.h"
#include "display/painting/strips.h"

#define WIDTH 1024u
#define HEIGHT 768u

struct screen {
	uint32_t *guest, *client;
	struct strips *strips;
	uint64_t sent; /* pixels, since the last update began */
	unsigned scrolls;
};

static void screen_init(struct screen *screen)
{
	*screen = (struct screen){ .strips = strips_create(WIDTH, HEIGHT) };
	screen->guest = g_new0(uint32_t, WIDTH * HEIGHT);
	screen->client = g_new0(uint32_t, WIDTH * HEIGHT);
}

static void screen_finish(struct screen *screen)
{
	strips_destroy(screen->strips);
	g_free(screen->guest);
	g_free(screen->client);
}

static void copy_up_or_down(uint32_t *pixels, const struct rect *rect, uint32_t from_y)
{
	g_autofree uint32_t *before = g_memdup2(pixels, WIDTH * HEIGHT * 4);
	for (uint32_t i = 0; i < rect->height; i++)
		memcpy(pixels + (rect->y + i) * WIDTH + rect->x,
			before + (from_y + i) * WIDTH + rect->x, rect->width * 4);
}

static void update(struct screen *screen)
{
	struct rect rects[64], all = { 0, 0, WIDTH, HEIGHT };
	struct scroll scroll;
	screen->sent = 0;
	strips_look(screen->strips, (uint8_t *)screen->guest, WIDTH * 4, &all);
	if (scroll_find(screen->strips, &scroll)) {
		g_assert_cmpuint(rect_right(&scroll.rect), <=, WIDTH);
		g_assert_cmpuint(rect_bottom(&scroll.rect), <=, HEIGHT);
		g_assert_cmpuint(scroll.from_y + scroll.rect.height, <=, HEIGHT);
		copy_up_or_down(screen->client, &scroll.rect, scroll.from_y);
		screen->scrolls++;
	}
	unsigned n = strips_take(screen->strips, rects, G_N_ELEMENTS(rects));
	for (unsigned i = 0; i < n; i++) {
		for (uint32_t y = rects[i].y; y < rect_bottom(&rects[i]); y++)
			memcpy(screen->client + y * WIDTH + rects[i].x,
				screen->guest + y * WIDTH + rects[i].x, rects[i].width * 4);
		screen->sent += rect_area(&rects[i]);
	}
	g_assert_cmpmem(screen->guest, WIDTH * HEIGHT * 4, screen->client, WIDTH * HEIGHT * 4);
}

/* Draws a line of a terminal: letters of 8x16, some of it blank. */
static void draw_line(struct screen *screen, struct rect window, uint32_t y, uint32_t seed)
{
	uint32_t letters = 5 + seed * 2654435761u % (window.width / 8 - 5);
	for (uint32_t row = 0; row < 16; row++) {
		for (uint32_t x = 0; x < window.width; x++) {
			uint32_t bits = (seed * 977 + x / 8 * 31 + row / 2 * 7) * 2654435761u;
			bool ink = x / 8 < letters && row > 2 && row < 14 && x % 8 < 6 &&
				   bits >> (x % 8 + 8) & 1;
			screen->guest[(y + row) * WIDTH + window.x + x] = ink ? 0xd0d0d0 : 0;
		}
	}
}

static void draw_page(struct screen *screen, struct rect window, uint32_t first)
{
	for (uint32_t i = 0; i < window.height / 16; i++)
		draw_line(screen, window, window.y + i * 16, first + i);
}

static void run(struct rect window, int lines, unsigned n)
{
	struct screen screen;
	screen_init(&screen);
	for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
		screen.guest[i] = 0x336699 + i / WIDTH / 8;
	uint32_t line = 1000;
	draw_page(&screen, window, line);
	update(&screen);
	for (unsigned i = 0; i < n; i++) {
		line = (uint32_t)((int)line + lines);
		draw_page(&screen, window, line);
		update(&screen);
		g_assert_cmpuint(screen.sent, <, rect_area(&window) / 3);
	}
	g_assert_cmpuint(screen.scrolls, ==, n);
	screen_finish(&screen);
}

static void test_terminal(void)
{
	const struct rect window = { 64, 48, 800, 608 };
	run(window, 1, 30);
	run(window, -1, 30);
	run(window, 3, 20);
	run(window, -5, 20);
}

/*
 * The window is at no strip's edge, so the columns at its sides are shared with what stands still.
 */
static void test_anywhere(void)
{
	run((struct rect){ 77, 33, 640, 400 }, 1, 20);
	run((struct rect){ 0, 0, WIDTH, HEIGHT }, 2, 20);
}

/* A block cursor at the end of the text moves with every line, and a clock ticks in a corner. */
static void test_with_changes_inside(void)
{
	const struct rect window = { 64, 48, 800, 608 };
	struct screen screen;
	screen_init(&screen);
	for (uint32_t i = 0; i < 20; i++) {
		draw_page(&screen, window, i);
		for (uint32_t y = 0; y < 16; y++) {
			memset(screen.guest + (window.y + 576 + y) * WIDTH + 200 + i * 8, 0xff,
				8 * 4);
			memset(screen.guest + (2 + y) * WIDTH + 900, (int)i, 40 * 4);
		}
		update(&screen);
	}
	g_assert_cmpuint(screen.scrolls, ==, 19);
	screen_finish(&screen);
}

static void test_no_scroll(void)
{
	struct screen screen;
	g_autoptr(GRand) random = g_rand_new_with_seed(1);
	screen_init(&screen);
	for (unsigned i = 0; i < 30; i++) {
		for (uint32_t at = 0; at < WIDTH * HEIGHT; at++)
			screen.guest[at] = i % 2 ? g_rand_int(random) : i;
		update(&screen);
	}
	g_assert_cmpuint(screen.scrolls, ==, 0);
	screen_finish(&screen);
}

/* A part of which we do not know what the surface shows is not moved. */
static void test_unknown_is_not_moved(void)
{
	const struct rect window = { 64, 48, 800, 608 };
	struct rect lost = { 96, 300, 500, 100 };
	struct screen screen;
	screen_init(&screen);
	draw_page(&screen, window, 1);
	update(&screen);
	strips_forget(screen.strips, &lost);
	for (uint32_t y = lost.y; y < rect_bottom(&lost); y++)
		memset(screen.client + y * WIDTH + lost.x, 0xee, lost.width * 4);
	draw_page(&screen, window, 2);
	update(&screen);
	screen_finish(&screen);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/scroll/terminal", test_terminal);
	g_test_add_func("/scroll/anywhere", test_anywhere);
	g_test_add_func("/scroll/with-changes-inside", test_with_changes_inside);
	g_test_add_func("/scroll/no-scroll", test_no_scroll);
	g_test_add_func("/scroll/unknown-is-not-moved", test_unknown_is_not_moved);
	return g_test_run();
}
