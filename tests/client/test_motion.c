/* SPDX-License-Identifier: MIT */
/*
 * motion: checks that what moves becomes video and ends exact, that what does not move stays exact
 * and costs nothing, and that clients may come and go in between.
 */
#include <string.h>

#include "tests/client/fixture.h"

#define FRAME_US (G_USEC_PER_SEC / 40)

/*
 * Holds the longest time that play() has been without a frame, in microseconds: on a busy machine
 * that alone may end a film.
 */
static gint64 longest_us;

static gint64 stat(struct fixture *fixture, const char *key)
{
	g_autofree char *stats = client_run(fixture->client, "stats");
	return answer_int(stats, key);
}

/* Draws letters of 8x16 pixels in one colour on another. */
static void draw_text(struct canvas *canvas, struct rect area, uint32_t seed)
{
	for (uint32_t y = area.y; y + 16 <= area.y + area.height; y += 16) {
		for (uint32_t x = area.x; x + 8 <= area.x + area.width; x += 8) {
			uint32_t bits = (seed + x * 31 + y * 17) * 2654435761u;
			for (uint32_t i = 0; i < 32; i++) {
				struct rect dot = { x + i % 4 * 2, y + i / 4 * 2, 1, 2 };
				canvas_fill(canvas, dot, bits >> i & 1 ? 0xe0e0e0 : 0x101010);
			}
		}
	}
}

static void start_with_text(struct fixture *fixture, uint32_t width, uint32_t height)
{
	fixture_start(fixture, width, height, NULL);
	struct canvas *canvas = fixture_canvas(fixture);
	canvas_fill(canvas, canvas_all(canvas), 0x101010);
	draw_text(canvas, canvas_all(canvas), 1);
	fixture_connect(fixture);
	fake_render_flush_all(fixture->render, 0);
	fixture_expect_canvas(fixture);
}

static void expect_exact(struct fixture *fixture, struct rect area)
{
	g_autofree char *hash = canvas_hash(fixture_canvas(fixture), area);
	g_free(client_run(fixture->client, "wait-hash %u %u %u %u %s %d", area.x, area.y,
		area.width, area.height, hash, SETTLE_MS));
}

static void play(struct fixture *fixture, struct rect film, unsigned first, unsigned n)
{
	gint64 last_us = g_get_monotonic_time();
	for (unsigned i = 0; i < n; i++) {
		canvas_film(fixture_canvas(fixture), film, first + i);
		/* We flush everything, as a compositor does that does not know what changed. */
		fake_render_flush_all(fixture->render, 0);
		gint64 now_us = g_get_monotonic_time();
		longest_us = MAX(longest_us, now_us - last_us);
		last_us = now_us;
		g_usleep(FRAME_US);
	}
}

/*
 * Expects one stream, or several if the film was interrupted so long that it ended and began again.
 */
static void expect_one_stream(struct fixture *fixture)
{
	if (longest_us < 2 * FRAME_US)
		g_assert_cmpint(stat(fixture, "streams"), ==, 1);
	else
		g_assert_cmpint(stat(fixture, "streams"), >=, 1);
}

/* A film plays at odd places, and the letters around it stay exact up to its edges. */
static void test_film_in_a_window(void)
{
	const struct rect film = { 203, 101, 500, 300 };
	struct fixture fixture;
	start_with_text(&fixture, 1024, 768);
	longest_us = 0;
	play(&fixture, film, 0, 60);
	expect_one_stream(&fixture);
	for (unsigned i = 0; i < 5; i++) {
		draw_text(fixture_canvas(&fixture), (struct rect){ 800, 160, 64, 16 }, 50 + i);
		play(&fixture, film, 60 + i * 10, 10);
		expect_exact(&fixture, (struct rect){ 0, 0, 1024, 101 });
		expect_exact(&fixture, (struct rect){ 0, 401, 1024, 367 });
		expect_exact(&fixture, (struct rect){ 0, 101, 202, 300 });
		expect_exact(&fixture, (struct rect){ 704, 101, 320, 300 });
	}
	gint64 settled_ms = fixture_expect_canvas(&fixture);
	g_test_message("exact %" G_GINT64_FORMAT " ms after the last frame", settled_ms);
	expect_one_stream(&fixture);
	fixture_expect_short_waits(&fixture);
	fixture_stop(&fixture);
}

/* Motion stops and starts again at other places. */
static void test_films_come_and_go(void)
{
	struct fixture fixture;
	start_with_text(&fixture, 1280, 720);
	for (unsigned i = 0; i < 4; i++) {
		struct rect film = { 40 + i * 111, 30 + i * 57, 400, 240 };
		play(&fixture, film, i * 100, 30);
		gint64 settled_ms = fixture_expect_canvas(&fixture);
		g_test_message("exact %" G_GINT64_FORMAT " ms after film %u", settled_ms, i);
		play(&fixture, film, i * 100 + 50, 10);
		fixture_expect_canvas(&fixture);
	}
	g_assert_cmpint(stat(&fixture, "streams"), >=, 1);
	struct canvas *canvas = fixture_canvas(&fixture);
	play(&fixture, canvas_all(canvas), 900, 40);
	fixture_expect_canvas(&fixture);
	play(&fixture, (struct rect){ 40, 30, 400, 240 }, 1000, 40);
	fixture_expect_canvas(&fixture);
	fixture_expect_short_waits(&fixture);
	fixture_stop(&fixture);
}

/* Flushes without a change cost not one byte. */
static void test_still_costs_nothing(void)
{
	struct fixture fixture;
	start_with_text(&fixture, 1024, 768);
	g_usleep(G_USEC_PER_SEC / 5);
	gint64 before = stat(&fixture, "display-0");
	for (unsigned i = 0; i < 60; i++) {
		fake_render_flush_all(fixture.render, 0);
		g_usleep(FRAME_US / 4);
	}
	g_usleep(G_USEC_PER_SEC / 5);
	g_assert_cmpint(stat(&fixture, "display-0"), ==, before);
	fixture_stop(&fixture);
}

/*
 * Letters are typed one after the other with a cursor behind them, and everything is flushed each
 * time.
 */
static void test_typing_stays_lossless(void)
{
	struct fixture fixture;
	start_with_text(&fixture, 1024, 768);
	gint64 before = stat(&fixture, "display-0");
	for (unsigned i = 0; i < 100; i++) {
		struct rect letter = { 80 + i * 8, 320, 8, 16 }, cursor = letter;
		cursor.x += 8;
		draw_text(fixture_canvas(&fixture), letter, 70 + i);
		canvas_fill(fixture_canvas(&fixture), cursor, 0xffffff);
		fake_render_flush_all(fixture.render, 0);
		g_usleep(FRAME_US);
	}
	fixture_expect_canvas(&fixture);
	gint64 bytes = stat(&fixture, "display-0") - before;
	g_test_message("%" G_GINT64_FORMAT " bytes for 100 letters", bytes);
	g_assert_cmpint(bytes, <, 100 * 1000);
	g_assert_cmpint(stat(&fixture, "streams"), ==, 0);
	fixture_stop(&fixture);
}

static void scroll_up(struct canvas *canvas, struct rect window, uint32_t seed)
{
	for (uint32_t y = window.y; y + 16 < window.y + window.height; y++)
		memcpy(canvas->pixels + (gsize)y * canvas->width + window.x,
			canvas->pixels + (gsize)(y + 16) * canvas->width + window.x,
			window.width * 4);
	struct rect line = { window.x, window.y + window.height - 16, window.width, 16 };
	canvas_fill(canvas, line, 0x101010);
	line.width = window.width * (seed % 5 + 1) / 8;
	draw_text(canvas, line, seed);
}

/*
 * Scrolls n lines of a terminal, one every `pause_us`, and checks that the picture becomes exact.
 */
static void scroll_lines(
	struct fixture *fixture, struct rect window, unsigned first, unsigned n, gulong pause_us)
{
	gint64 last_us = g_get_monotonic_time();
	for (unsigned i = first; i < first + n; i++) {
		scroll_up(fixture_canvas(fixture), window, i);
		fake_render_flush_all(fixture->render, 0);
		gint64 now_us = g_get_monotonic_time();
		longest_us = MAX(longest_us, now_us - last_us);
		last_us = now_us;
		g_usleep(pause_us);
		if (i % 100 == 99)
			fixture_expect_canvas(fixture);
	}
}

/*
 * In a terminal the client moves what has moved, and only the new line is sent. Of a flood of lines
 * the client is shown what it can take: where it is slow, lines have come and gone in between, and
 * that may be a film.
 */
static void test_scrolling_text(void)
{
	const struct rect window = { 64, 48, 800, 608 };
	struct fixture fixture;
	start_with_text(&fixture, 1024, 768);
	gint64 before = stat(&fixture, "display-0");
	longest_us = 0;
	scroll_lines(&fixture, window, 0, 100, FRAME_US);
	if (longest_us < 2 * FRAME_US)
		g_assert_cmpint(stat(&fixture, "streams"), ==, 0);
	scroll_lines(&fixture, window, 100, 500, 2000);
	gint64 bytes = stat(&fixture, "display-0") - before;
	g_test_message("%" G_GINT64_FORMAT " bytes for 600 lines", bytes);
	g_assert_cmpint(bytes, <, 600 * 20000);
	fixture_expect_short_waits(&fixture);
	fixture_stop(&fixture);
}

static void test_small_things_stay_lossless(void)
{
	const struct rect spinner = { 500, 300, 48, 48 };
	struct fixture fixture;
	start_with_text(&fixture, 1024, 768);
	play(&fixture, spinner, 0, 80);
	g_assert_cmpint(stat(&fixture, "streams"), ==, 0);
	expect_exact(&fixture, canvas_all(fixture_canvas(&fixture)));
	fixture_stop(&fixture);
}

/* Clients arrive in the middle of a stream, which spice-server must survive. */
static void test_clients_change_during_a_film(void)
{
	struct fixture fixture;
	start_with_text(&fixture, 800, 600);
	struct rect film = canvas_all(fixture_canvas(&fixture));
	for (unsigned i = 0; i < 8; i++) {
		play(&fixture, film, i * 100, 25);
		if (i % 2)
			client_kill(g_steal_pointer(&fixture.client));
		else
			g_clear_pointer(&fixture.client, client_free);
		play(&fixture, film, i * 100 + 50, i % 3);
		fixture_connect(&fixture);
		play(&fixture, film, i * 100 + 60, 3);
		g_assert_true(fake_desktop_is_alive(fixture.desktop));
	}
	fixture_expect_canvas(&fixture);
	fixture_stop(&fixture);
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	g_test_add_func("/motion/film-in-a-window", test_film_in_a_window);
	g_test_add_func("/motion/films-come-and-go", test_films_come_and_go);
	g_test_add_func("/motion/still-costs-nothing", test_still_costs_nothing);
	g_test_add_func("/motion/typing-stays-lossless", test_typing_stays_lossless);
	g_test_add_func("/motion/scrolling-text", test_scrolling_text);
	g_test_add_func("/motion/small-things-stay-lossless", test_small_things_stay_lossless);
	g_test_add_func("/motion/clients-change-during-a-film", test_clients_change_during_a_film);
	return g_test_run();
}
