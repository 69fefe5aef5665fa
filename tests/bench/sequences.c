/* SPDX-License-Identifier: MIT */
#include "tests/bench/sequences.h"

#include <glib.h>
#include <string.h>

#include "common/rect.h"

#define LETTER_WIDTH 10u
#define LETTER_HEIGHT 18u
#define PAPER 0x00f4f4f0u
#define INK 0x00202428u
/* So many frames lie between two letters, which makes 15 letters a second. */
#define TYPING_FRAMES 4u
/* The compositor names the whole screen as damage once in this many letters. */
#define TYPING_FLUSH_ALL 7u

void scene_init(struct scene *scene, uint32_t width, uint32_t height)
{
	g_assert(width >= 800 && height >= 800);
	*scene = (struct scene){ .width = width, .height = height };
	scene->pixels = g_new0(uint32_t, (size_t)width * height);
	scene->backdrop = g_new0(uint32_t, (size_t)width * height);
}

void scene_finish(struct scene *scene)
{
	g_free(scene->pixels);
	g_free(scene->backdrop);
}

static uint32_t mix(uint32_t a, uint32_t b)
{
	uint32_t value = (a * 0x9e3779b1u) ^ (b * 0x85ebca6bu);
	value ^= value >> 15;
	value *= 0x2c1b3c6du;
	return value ^ value >> 13;
}

static void fill(struct scene *scene, const struct rect *rect, uint32_t colour)
{
	for (uint32_t y = rect->y; y < rect_bottom(rect); y++) {
		for (uint32_t x = rect->x; x < rect_right(rect); x++)
			scene->pixels[(size_t)y * scene->width + x] = colour;
	}
}

/* Draws one of 60 glyphs with strokes of two pixels and edges of half the ink. */
static void put_letter(struct scene *scene, uint32_t x, uint32_t y, uint32_t letter)
{
	for (uint32_t row = 3; row < LETTER_HEIGHT - 3; row++) {
		uint32_t bits = mix(letter % 60, row / 2);
		for (uint32_t i = 1; i < LETTER_WIDTH - 1; i++) {
			bool ink = bits >> i / 2 & 1, edge = !ink && bits >> (i - 1) / 2 & 1;
			scene->pixels[(size_t)(y + row) * scene->width + x + i] =
				ink ? INK : (edge ? 0x00a0a4a8u : PAPER);
		}
	}
}

/* Draws lines of words; `seed` says which. */
static void put_text(struct scene *scene, const struct rect *rect, uint32_t seed)
{
	fill(scene, rect, PAPER);
	for (uint32_t y = rect->y; y + LETTER_HEIGHT <= rect_bottom(rect); y += LETTER_HEIGHT) {
		for (uint32_t x = rect->x; x + LETTER_WIDTH <= rect_right(rect);
			x += LETTER_WIDTH) {
			uint32_t letter = mix(y + seed, x);
			if (letter % 6 != 0)
				put_letter(scene, x, y, letter / 6);
		}
	}
}

/* Draws a shaded backdrop with some figures on it, as desktops have. */
static void put_backdrop(struct scene *scene)
{
	for (uint32_t y = 0; y < scene->height; y++) {
		for (uint32_t x = 0; x < scene->width; x++) {
			uint32_t shade = (x + 2 * y) * 96 / (scene->width + 2 * scene->height);
			scene->pixels[(size_t)y * scene->width + x] =
				(0x20 + shade) << 16 | (0x38 + shade) << 8 | 0x60;
		}
	}
	for (uint32_t i = 0; i < 8; i++) {
		struct rect icon = { 24, 24 + i * 90, 48, 48 };
		fill(scene, &icon, mix(i, 1) & 0xffffff);
	}
}

/* ---- typing ---- */

static struct rect terminal(const struct scene *scene)
{
	return (struct rect){ 161, 97, 84 * LETTER_WIDTH / 3 * 2, 30 * LETTER_HEIGHT };
}

static void typing_begin(struct scene *scene)
{
	struct rect text = terminal(scene);
	put_backdrop(scene);
	put_text(scene, &text, 5);
	scene->column = 0;
}

static void scroll_up(struct scene *scene, const struct rect *rect, uint32_t by)
{
	for (uint32_t y = rect->y; y < rect_bottom(rect) - by; y++)
		memmove(scene->pixels + (size_t)y * scene->width + rect->x,
			scene->pixels + (size_t)(y + by) * scene->width + rect->x,
			rect->width * sizeof(uint32_t));
}

static unsigned typing_draw(struct scene *scene, unsigned i, struct rect *damage)
{
	struct rect text = terminal(scene);
	struct rect last = { text.x, rect_bottom(&text) - LETTER_HEIGHT, text.width,
		LETTER_HEIGHT };
	unsigned n_letter = i / TYPING_FRAMES;
	if (i % TYPING_FRAMES != 0)
		return 0;
	if (scene->column == 16) {
		scroll_up(scene, &text, LETTER_HEIGHT);
		fill(scene, &last, PAPER);
		scene->column = 0;
		damage[0] = text;
		return 1;
	}
	last.x += scene->column++ * LETTER_WIDTH;
	last.width = LETTER_WIDTH;
	put_letter(scene, last.x, last.y, mix(n_letter, 77));
	damage[0] = n_letter % TYPING_FLUSH_ALL == 0 ?
			    (struct rect){ 0, 0, scene->width, scene->height } :
			    last;
	return 1;
}

/* ---- a window that is moved ---- */

/* Returns where the window stands at frame i. */
static struct rect window_at(const struct scene *scene, unsigned i)
{
	uint32_t x = i * 9 % (2 * (scene->width - 640)), y = i * 5 % (2 * (scene->height - 480));
	return (struct rect){ MIN(x, 2 * (scene->width - 640) - x),
		MIN(y, 2 * (scene->height - 480) - y), 640, 480 };
}

static void put_window(struct scene *scene, const struct rect *rect)
{
	struct rect title = { rect->x, rect->y, rect->width, 24 };
	struct rect text = { rect->x, rect->y + 24, rect->width, rect->height - 24 };
	uint32_t *pixels = scene->pixels;
	fill(scene, &title, 0x00385878);
	/* The window's text is the same wherever the window is. */
	struct scene page = { .width = text.width, .height = text.height };
	page.pixels = g_new(uint32_t, (size_t)text.width * text.height);
	put_text(&page, &(struct rect){ 0, 0, text.width, text.height }, 9);
	for (uint32_t row = 0; row < text.height; row++)
		memcpy(pixels + (size_t)(text.y + row) * scene->width + text.x,
			page.pixels + (size_t)row * text.width, text.width * sizeof(uint32_t));
	g_free(page.pixels);
}

static void window_begin(struct scene *scene)
{
	struct rect rect = window_at(scene, 0);
	put_backdrop(scene);
	memcpy(scene->backdrop, scene->pixels,
		(size_t)scene->width * scene->height * sizeof(uint32_t));
	put_window(scene, &rect);
}

static unsigned window_draw(struct scene *scene, unsigned i, struct rect *damage)
{
	damage[0] = window_at(scene, i);
	damage[1] = window_at(scene, i + 1);
	for (uint32_t y = damage[0].y; y < rect_bottom(&damage[0]); y++)
		memcpy(scene->pixels + (size_t)y * scene->width + damage[0].x,
			scene->backdrop + (size_t)y * scene->width + damage[0].x,
			damage[0].width * sizeof(uint32_t));
	put_window(scene, &damage[1]);
	return 2;
}

/* ---- a film ---- */

/* The film plays here. */
static const struct rect SCREEN = { 403, 211, 640, 360 };

static void put_film(struct scene *scene, uint32_t time)
{
	for (uint32_t y = 0; y < SCREEN.height; y++) {
		for (uint32_t x = 0; x < SCREEN.width; x++) {
			uint32_t shade = (x + 3 * time) / 3 % 160, light = (y + time) / 2 % 120;
			uint32_t grain = mix(x + SCREEN.width * y, time) & 7;
			scene->pixels[(size_t)(SCREEN.y + y) * scene->width + SCREEN.x + x] =
				(shade + grain) << 16 | (light + grain) << 8 | (40 + grain);
		}
	}
}

static void film_begin(struct scene *scene)
{
	struct rect page = { 161, 97, 1100, 620 };
	put_backdrop(scene);
	put_text(scene, &page, 3);
	put_film(scene, 0);
}

/*
 * Shows 30 pictures a second; for the last second the film stands still, and a clock goes on below
 * it.
 */
static unsigned film_draw(struct scene *scene, unsigned i, struct rect *damage)
{
	struct rect clock = { SCREEN.x, rect_bottom(&SCREEN) + 40, LETTER_WIDTH * 2,
		LETTER_HEIGHT };
	unsigned n = 0;
	if (i % 2 == 0 && i < 240) {
		put_film(scene, i / 2);
		damage[n++] = SCREEN;
	}
	if (i % 30 == 0) {
		put_letter(scene, clock.x, clock.y, i / 30);
		damage[n++] = clock;
	}
	return n;
}

const struct sequence SEQUENCE[SEQUENCES] = {
	{ "typing", 400, typing_begin, typing_draw },
	{ "window", 200, window_begin, window_draw },
	{ "film", 300, film_begin, film_draw },
};
