/* SPDX-License-Identifier: MIT */
/*
 * video_areas: checks what becomes video, how exactly, and when it ends. Time and pictures are made
 * up.
 */
#include "display/painting/video_areas.h"

#include <glib.h>
#include <string.h>

#include "display/painting/content.h"
#include "common/rect.h"
#include "display/painting/strips.h"

#define WIDTH 1280u
#define HEIGHT 720u
#define PLENTY_BPS 400000000u

struct world {
	uint32_t width, height; /* of the head */
	uint32_t *pixels;
	struct strips *strips;
	struct video_areas *areas;
	int64_t now_us;
	uint64_t lossless_bps_max;
	uint32_t seed;
};

/* Makes a head of at most WIDTH by HEIGHT, which is what the memory has room for. */
static void world_init_size(struct world *world, uint32_t width, uint32_t height)
{
	*world = (struct world){
		.width = width, .height = height, .now_us = 1000000, .lossless_bps_max = PLENTY_BPS
	};
	world->pixels = g_new0(uint32_t, WIDTH * HEIGHT);
	world->strips = strips_create(width, height);
	world->areas = video_areas_create(width, height);
}

static void world_init(struct world *world)
{
	world_init_size(world, WIDTH, HEIGHT);
}

static void world_finish(struct world *world)
{
	g_free(world->pixels);
	strips_destroy(world->strips);
	video_areas_destroy(world->areas);
}

/* Draws a shaded picture, another one each time. */
static void film(struct world *world, struct rect rect)
{
	world->seed += 7;
	for (uint32_t y = rect.y; y < rect_bottom(&rect); y++) {
		for (uint32_t x = rect.x; x < rect_right(&rect); x++)
			world->pixels[y * WIDTH + x] =
				((x + world->seed) & 0xff) * 0x010100 + (y & 0xff);
	}
}

static void text(struct world *world, struct rect rect)
{
	world->seed += 7;
	for (uint32_t y = rect.y; y < rect_bottom(&rect); y++) {
		for (uint32_t x = rect.x; x < rect_right(&rect); x++) {
			uint32_t bits = (x / 12 * 31 + y / 20 * 17 + world->seed) * 2654435761u;
			bool ink = x % 12 < 4 && y % 20 < 12 && bits >> 31;
			world->pixels[y * WIDTH + x] = ink ? 0xffffff : 0x202020;
		}
	}
}

static void look_outside(struct world *world, struct rect rect, unsigned i)
{
	struct rect parts[4];
	if (i == world->areas->n_live) {
		strips_look(world->strips, (uint8_t *)world->pixels, WIDTH * 4, &rect);
		return;
	}
	unsigned n = rect_subtract(&rect, &world->areas->live[i].rect, parts);
	for (unsigned part = 0; part < n; part++)
		look_outside(world, parts[part], i + 1);
}

static bool frame(struct world *world, unsigned after_ms)
{
	struct rect rects[64];
	world->now_us += after_ms * 1000;
	for (unsigned i = 0; i < world->areas->n_live; i++)
		video_area_look(
			&world->areas->live[i], world->now_us, (uint8_t *)world->pixels, WIDTH * 4);
	look_outside(world, (struct rect){ 0, 0, world->width, world->height }, 0);
	video_areas_note(world->areas, world->now_us, world->strips);
	/* Below 10 Mbit/s areas begin large, as on a line on which growing costs much. */
	struct video_wish wish = { world->lossless_bps_max, world->lossless_bps_max < 10000000 };
	bool begun = video_areas_form(world->areas, world->now_us, world->strips,
		(uint8_t *)world->pixels, WIDTH * 4, &wish);
	strips_take(world->strips, rects, G_N_ELEMENTS(rects));
	return begun;
}

/* Returns after how many milliseconds an area begins; -1 when none does. */
static int play(struct world *world, void (*draw)(struct world *, struct rect), struct rect rect,
	unsigned interval_ms, unsigned n)
{
	int64_t begin_us = world->now_us;
	for (unsigned i = 0; i < n; i++) {
		draw(world, rect);
		if (frame(world, interval_ms))
			return (int)((world->now_us - begin_us) / 1000);
	}
	return -1;
}

static void expect_rect(const struct video_area *area, struct rect rect)
{
	g_assert_cmpuint(area->rect.x, ==, rect.x);
	g_assert_cmpuint(area->rect.y, ==, rect.y);
	g_assert_cmpuint(area->rect.width, ==, rect.width);
	g_assert_cmpuint(area->rect.height, ==, rect.height);
}

static const struct rect window = { 203, 101, 500, 300 };

static void test_film_is_found_to_the_pixel(void)
{
	struct world world;
	world_init(&world);
	text(&world, (struct rect){ 0, 0, WIDTH, HEIGHT });
	frame(&world, 16);
	/* The first picture changed everything, once. */
	int began_ms = play(&world, film, window, 16, 100);
	g_test_message("began after %d ms", began_ms);
	g_assert_cmpint(began_ms, >=, 150);
	g_assert_cmpint(began_ms, <=, 400);
	expect_rect(&world.areas->live[0], window);
	world_finish(&world);
}

static void test_slow_film(void)
{
	struct world world;
	world_init(&world);
	g_assert_cmpint(play(&world, film, window, 90, 30), >, 0);
	g_assert_cmpint(play(&world, film, window, 90, 30), ==, -1);
	g_assert_cmpuint(world.areas->n_live, ==, 1);
	world_finish(&world);

	/* Five pictures a second are no film. */
	world_init(&world);
	g_assert_cmpint(play(&world, film, window, 200, 60), ==, -1);
	world_finish(&world);
}

static void test_small_or_rare_is_none(void)
{
	struct world world;
	world_init(&world);
	g_assert_cmpint(play(&world, film, (struct rect){ 400, 300, 60, 60 }, 16, 200), ==, -1);
	g_assert_cmpint(play(&world, text, (struct rect){ 40, 300, 700, 20 }, 33, 200), ==, -1);
	/* A large cursor that blinks is no film. */
	g_assert_cmpint(play(&world, film, (struct rect){ 100, 100, 400, 400 }, 500, 40), ==, -1);
	world_finish(&world);
}

/* A line is typed, each letter elsewhere, and each redraws its line. */
static void test_typing_is_none(void)
{
	struct world world;
	world_init(&world);
	for (unsigned i = 0; i < 200; i++) {
		struct rect letter = { 40 + i % 90 * 12, 100 + i / 90 * 20, 24, 20 };
		g_assert_cmpint(play(&world, text, letter, 30, 1), ==, -1);
	}
	world_finish(&world);
}

static void test_text_is_lossless_if_the_line_takes_it(void)
{
	struct world world;
	world_init(&world);
	g_assert_cmpint(play(&world, text, window, 16, 200), ==, -1);
	world.lossless_bps_max = 2000000;
	g_assert_cmpint(play(&world, text, window, 16, 200), >, 0);
	world_finish(&world);
}

static void test_ends_after_a_short_quiet(void)
{
	struct world world;
	struct rect rect;
	world_init(&world);
	play(&world, film, window, 16, 100);
	play(&world, film, window, 16, 20);
	g_assert_cmpuint(world.areas->n_live, ==, 1);
	int64_t end_us = world.now_us;
	/* Flushes go on and nothing changes; the first may still count. */
	while (!video_areas_end(world.areas, world.now_us, &rect))
		frame(&world, 16);
	g_test_message("ended after %d ms", (int)((world.now_us - end_us) / 1000));
	g_assert_cmpint(world.now_us - end_us, <=, 220000);
	g_assert_true(rect_equal(&rect, &window));
	world_finish(&world);
}

/* A change that the samples miss is still a change. */
static void test_every_change_counts(void)
{
	struct world world;
	world_init(&world);
	play(&world, film, window, 16, 100);
	struct video_area *area = &world.areas->live[0];
	for (unsigned i = 0; i < 3; i++)
		video_area_look(area, world.now_us, (uint8_t *)world.pixels, WIDTH * 4);
	g_assert_false(video_area_look(area, world.now_us, (uint8_t *)world.pixels, WIDTH * 4));
	for (unsigned i = 0; i < 50; i++) {
		uint32_t x = window.x + i * 9 % window.width, y = window.y + i * 7 % window.height;
		world.pixels[y * WIDTH + x] ^= 1;
		g_assert_true(
			video_area_look(area, world.now_us, (uint8_t *)world.pixels, WIDTH * 4));
		for (unsigned j = 0; j < 2; j++)
			video_area_look(area, world.now_us, (uint8_t *)world.pixels, WIDTH * 4);
		g_assert_false(
			video_area_look(area, world.now_us, (uint8_t *)world.pixels, WIDTH * 4));
	}
	world_finish(&world);
}

static void test_two_films(void)
{
	const struct rect one = { 64, 64, 320, 200 }, two = { 800, 400, 256, 192 };
	struct world world;
	world_init(&world);
	for (unsigned i = 0; i < 40; i++) {
		film(&world, one);
		film(&world, two);
		frame(&world, 16);
	}
	g_assert_cmpuint(world.areas->n_live, ==, 2);
	expect_rect(&world.areas->live[0], one);
	expect_rect(&world.areas->live[1], two);
	world_finish(&world);
}

/*
 * A game shows figures above and below its field. With nothing but plain areas between them they
 * form one area with it.
 */
static void test_companions(void)
{
	const struct rect figures[] = { { 320, 130, 200, 16 }, { 400, 500, 100, 16 } };
	const struct rect field = { 300, 200, 320, 240 };
	for (unsigned written = 0; written < 2; written++) {
		struct world world;
		world_init(&world);
		if (written)
			text(&world, (struct rect){ 0, 0, WIDTH, HEIGHT });
		frame(&world, 16);
		for (unsigned i = 0; i < 40; i++) {
			film(&world, field);
			film(&world, figures[0]);
			film(&world, figures[1]);
			frame(&world, 16);
		}
		g_assert_cmpuint(world.areas->n_live, ==, 1);
		const struct rect *rect = &world.areas->live[0].rect;
		g_assert_true(rect_contains(rect, &figures[0]) == !written);
		g_assert_true(rect_contains(rect, &figures[1]) == !written);
		if (written)
			expect_rect(&world.areas->live[0], field);
		world_finish(&world);
	}
}

/* The film turns out to be larger than what moved first. */
static void test_grows(void)
{
	const struct rect part = { 300, 200, 256, 160 }, whole = { 240, 150, 380, 260 };
	struct world world;
	world_init(&world);
	g_assert_cmpint(play(&world, film, part, 16, 60), >, 0);
	g_assert_cmpint(play(&world, film, whole, 16, 60), >, 0);
	g_assert_cmpuint(world.areas->n_live, ==, 1);
	g_assert_true(rect_contains(&world.areas->live[0].rect, &whole));
	g_assert_cmpint(play(&world, film, whole, 16, 60), ==, -1);
	world_finish(&world);
}

/* Things that fly about all over the head end up in one area, as does what blinks between them. */
static void test_flying_about(void)
{
	struct world world;
	world_init(&world);
	for (unsigned i = 0; i < 300; i++) {
		memset(world.pixels, 0x30, WIDTH * HEIGHT * 4);
		for (uint32_t disc = 0; disc < 6; disc++) {
			uint32_t x = (i * (7 + disc) + disc * 333) % (2 * (WIDTH - 160));
			uint32_t y = (i * (5 + disc) + disc * 177) % (2 * (HEIGHT - 160));
			x = MIN(x, 2 * (WIDTH - 160) - x);
			y = MIN(y, 2 * (HEIGHT - 160) - y);
			film(&world, (struct rect){ x, y, 160, 160 });
		}
		text(&world, (struct rect){ 32, 32, 600, 16 });
		frame(&world, 16);
	}
	uint64_t area = 0;
	for (unsigned i = 0; i < world.areas->n_live; i++)
		area += rect_area(&world.areas->live[i].rect);
	g_test_message("%u areas, %u %% of the head", world.areas->n_live,
		(unsigned)(area * 100 / (WIDTH * HEIGHT)));
	g_assert_cmpuint(world.areas->n_live, ==, 1);
	g_assert_cmpuint(area * 100, >=, 90 * WIDTH * HEIGHT);
	world_finish(&world);
}

static void expect_even_sides(const struct world *world)
{
	for (unsigned i = 0; i < world->areas->n_live; i++) {
		g_assert_cmpuint(world->areas->live[i].rect.width % 2, ==, 0);
		g_assert_cmpuint(world->areas->live[i].rect.height % 2, ==, 0);
	}
}

/*
 * Sizes that encoders with halved colours refuse are never asked of them, also when areas are
 * joined.
 */
static void test_even_sides(void)
{
	static const struct rect parts[] = { { 201, 101, 301, 201 }, { 230, 131, 303, 241 },
		{ 99, 77, 211, 333 }, { 300, 50, 401, 407 }, { 0, 0, 641, 533 } };
	struct world world;
	world_init(&world);
	for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
		play(&world, film, parts[i], 16, 60);
		g_assert_cmpuint(world.areas->n_live, >, 0);
		expect_even_sides(&world);
	}
	world_finish(&world);
}

/* The last column and row of an odd head are left out, and that is settled once. */
static void test_odd_head(void)
{
	const struct rect all = { 0, 0, WIDTH - 1, HEIGHT - 1 };
	struct world world;
	world_init_size(&world, WIDTH - 1, HEIGHT - 1);
	g_assert_cmpint(play(&world, film, all, 16, 60), >, 0);
	play(&world, film, all, 16, 60);
	expect_even_sides(&world);
	g_assert_cmpuint(world.areas->n_live, ==, 1);
	g_assert_cmpuint(world.areas->live[0].rect.width, ==, WIDTH - 2);
	g_assert_cmpint(play(&world, film, all, 16, 60), ==, -1);
	world_finish(&world);
}

static void test_content(void)
{
	struct world world;
	world_init(&world);
	text(&world, window);
	struct content content = content_look((uint8_t *)world.pixels, WIDTH * 4, &window);
	g_test_message(
		"text: %u %% equal, %u %% smooth", content.equal_percent, content.smooth_percent);
	g_assert_false(content_is_smooth(&content));
	g_assert_cmpuint(content.lossless_bytes, <, rect_area(&window));
	film(&world, window);
	content = content_look((uint8_t *)world.pixels, WIDTH * 4, &window);
	g_assert_true(content_is_smooth(&content));
	struct rect dot = { WIDTH - 1, HEIGHT - 1, 1, 1 };
	content = content_look((uint8_t *)world.pixels, WIDTH * 4, &dot);
	g_assert_false(content_is_smooth(&content));
	world_finish(&world);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/video-areas/film-is-found-to-the-pixel", test_film_is_found_to_the_pixel);
	g_test_add_func("/video-areas/slow-film", test_slow_film);
	g_test_add_func("/video-areas/small-or-rare-is-none", test_small_or_rare_is_none);
	g_test_add_func("/video-areas/typing-is-none", test_typing_is_none);
	g_test_add_func("/video-areas/text-is-lossless-if-the-line-takes-it",
		test_text_is_lossless_if_the_line_takes_it);
	g_test_add_func("/video-areas/ends-after-a-short-quiet", test_ends_after_a_short_quiet);
	g_test_add_func("/video-areas/every-change-counts", test_every_change_counts);
	g_test_add_func("/video-areas/two-films", test_two_films);
	g_test_add_func("/video-areas/companions", test_companions);
	g_test_add_func("/video-areas/grows", test_grows);
	g_test_add_func("/video-areas/flying-about", test_flying_about);
	g_test_add_func("/video-areas/even-sides", test_even_sides);
	g_test_add_func("/video-areas/odd-head", test_odd_head);
	g_test_add_func("/video-areas/content", test_content);
	return g_test_run();
}
