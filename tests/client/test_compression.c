/* SPDX-License-Identifier: MIT */
/*
 * compression: checks that still pictures cost a slow line less than a fast one, that what a client
 * asks for by itself stands, and that all of it is exact.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/client/fixture.h"
#include "tests/client/slow_line.h"

#define WIDTH 1024
#define HEIGHT 768
#define SLOW_KBIT_PER_S 20000
/* A line that carries this much is no slow one; it is a little more than COMPRESSION_SMALL_BPS. */
#define QUICK_BPS 120000000
/* Changes that come more often than this become video (display/painting/video_areas.h). */
#define PAUSE_US (G_USEC_PER_SEC / 2)
/*
 * The relay looks at a line twice a second while something passes, so after this many pictures it
 * has looked.
 */
#define LOOKS 4

/* Holds the longest time that a picture took to be exact, in microseconds. */
static gint64 longest_us;

static void start_slow(struct fixture *fixture, struct slow_line **line)
{
	fixture_start(fixture, WIDTH, HEIGHT, NULL);
	const char *port = strrchr(fake_desktop_address(fixture->desktop), ':') + 1;
	*line = slow_line_start((uint16_t)atoi(port), SLOW_KBIT_PER_S);
	fixture->client = client_new(slow_line_address(*line), NULL);
	g_assert_true(client_is_connected(fixture->client));
	g_assert_true(fake_render_wait_rate(fixture->render, 0, true, SETTLE_MS));
	fixture_expect_canvas(fixture);
}

static void ask_for(struct fixture *fixture, const char *compression)
{
	g_free(client_run(fixture->client, "compression %s", compression));
	g_usleep(PAUSE_US);
}

static gint64 bytes_read(struct fixture *fixture)
{
	g_autofree char *stats = client_run(fixture->client, "stats");
	return answer_int(stats, "display-0");
}

/* Returns how many bytes a picture costs on the display channel until it is exact. */
static gint64 cost_of_photo(struct fixture *fixture, uint32_t seed)
{
	struct canvas *canvas = fixture_canvas(fixture);
	g_usleep(PAUSE_US);
	gint64 before = bytes_read(fixture);
	canvas_photo(canvas, canvas_all(canvas), seed);
	gint64 begin_us = g_get_monotonic_time();
	fake_render_flush_all(fixture->render, 0);
	fixture_expect_canvas(fixture);
	longest_us = MAX(longest_us, g_get_monotonic_time() - begin_us);
	return bytes_read(fixture) - before;
}

static void test_slow_line(void)
{
	struct fixture fixture;
	struct slow_line *line;
	start_slow(&fixture, &line);
	cost_of_photo(&fixture, 1);
	gint64 own = cost_of_photo(&fixture, 2);
	ask_for(&fixture, "lz4");
	cost_of_photo(&fixture, 3);
	gint64 lz4 = cost_of_photo(&fixture, 2);
	g_test_message("%" G_GINT64_FORMAT " bytes, with lz4 %" G_GINT64_FORMAT ": %.2f", own, lz4,
		(double)own / (double)lz4);
	g_assert_cmpint(own * 10, <, lz4 * 6);
	g_clear_pointer(&fixture.client, client_free);
	slow_line_stop(line);
	fixture_stop(&fixture);
}

/*
 * A line that carries more keeps the compression that costs the least CPU, also after pictures that
 * fill it.
 */
static void test_near_line(void)
{
	struct fixture fixture;
	fixture_start(&fixture, WIDTH, HEIGHT, NULL);
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	longest_us = 0;
	for (unsigned i = 1; i < LOOKS; i++)
		cost_of_photo(&fixture, i);
	gint64 own = cost_of_photo(&fixture, LOOKS);
	ask_for(&fixture, "lz4");
	cost_of_photo(&fixture, 1);
	gint64 lz4 = cost_of_photo(&fixture, LOOKS);
	g_test_message("%" G_GINT64_FORMAT " bytes, with lz4 %" G_GINT64_FORMAT
		       ", %" G_GINT64_FORMAT " ms at most",
		own, lz4, longest_us / 1000);
	/*
	 * On a busy machine the line itself is slow and gets the small compression
	 * (display/relay/compression.h).
	 */
	if (lz4 * 8 * G_USEC_PER_SEC / longest_us > QUICK_BPS)
		g_assert_cmpint(own * 10, >, lz4 * 9);
	fixture_stop(&fixture);
}

/* Draws a page of which little must be sent, and all of that is new. */
static void draw_page(struct canvas *canvas, uint32_t seed)
{
	canvas_fill(canvas, canvas_all(canvas), 0x101010 * (seed + 1));
	for (uint32_t y = 0; y < canvas->height; y += 64)
		canvas_fill(canvas, (struct rect){ 32, y, 200, 8 }, 0x203040 + seed);
}

/*
 * A client may ask for GLZ and goes on seeing pictures. With GLZ spice-server would keep all
 * buffers, and pictures would stop.
 */
static void test_glz_keeps_showing(void)
{
	static const char *const names[] = { "glz", "auto_glz" };
	struct fixture fixture;
	fixture_start(&fixture, WIDTH, HEIGHT, NULL);
	struct canvas *canvas = fixture_canvas(&fixture);
	fixture_connect(&fixture);
	for (unsigned i = 0; i < 12; i++) {
		if (i % 6 == 0)
			ask_for(&fixture, names[i / 6]);
		draw_page(canvas, i);
		fake_render_flush_all(fixture.render, 0);
		fixture_expect_canvas(&fixture);
		g_usleep(PAUSE_US / 2);
	}
	fixture_expect_short_waits(&fixture);
	fixture_stop(&fixture);
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	g_test_add_func("/compression/slow-line", test_slow_line);
	g_test_add_func("/compression/near-line", test_near_line);
	g_test_add_func("/compression/glz-keeps-showing", test_glz_keeps_showing);
	return g_test_run();
}
