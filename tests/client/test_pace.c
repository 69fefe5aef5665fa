/* SPDX-License-Identifier: MIT */
/* pace: checks that a client on a slow line sees fewer pictures, but current ones, and how soon one
 * that comes back sees the guest. */
#include <stdlib.h>
#include <string.h>

#include "tests/client/fixture.h"
#include "tests/client/slow_line.h"
#include "tests/guest/counter_layout.h"

#define FRAME_US (G_USEC_PER_SEC / 30)

struct slow {
	struct fixture fixture;
	struct slow_line *line;
};

static void slow_start(struct slow *slow, uint32_t width, uint32_t height, unsigned kbit_per_s)
{
	fixture_start(&slow->fixture, width, height, NULL);
	canvas_fill(fixture_canvas(&slow->fixture), canvas_all(fixture_canvas(&slow->fixture)), 0);
	const char *port = strrchr(fake_desktop_address(slow->fixture.desktop), ':') + 1;
	slow->line = slow_line_start((uint16_t)atoi(port), kbit_per_s);
	slow->fixture.client = client_new(slow_line_address(slow->line), NULL);
	g_assert_true(client_is_connected(slow->fixture.client));
	g_assert_true(fake_render_wait_rate(slow->fixture.render, 0, true, 20000));
	fake_render_flush_all(slow->fixture.render, 0);
	fixture_expect_canvas(&slow->fixture);
}

static void slow_stop(struct slow *slow)
{
	g_clear_pointer(&slow->fixture.client, client_free);
	slow_line_stop(slow->line);
	fixture_stop(&slow->fixture);
}

static void draw_counter(struct canvas *canvas, uint32_t value)
{
	for (int cell = 0; cell < COUNTER_CELLS; cell++) {
		struct rect rect = { 64 + (uint32_t)cell * COUNTER_CELL_PX, 32, COUNTER_CELL_PX,
			COUNTER_HEIGHT_PX };
		canvas_fill(canvas, rect, counter_cell_color(value, cell));
	}
}

/*
 * Numbers are shown with so much noise beside them that the line carries two frames a second. At
 * any time the client shows one of the last seconds, not of the beginning.
 */
static void test_pictures_are_current(void)
{
	const struct rect noise = { 64, 100, 160, 160 };
	const unsigned n_frames = 300;
	struct slow slow;
	gint64 oldest = 0;
	slow_start(&slow, 800, 600, 2000);
	for (unsigned i = 1; i <= n_frames; i++) {
		struct canvas *canvas = fixture_canvas(&slow.fixture);
		/* The rows in between stay, so that this is no film. */
		for (uint32_t y = 0; y < noise.height; y += 40)
			canvas_noise(canvas, (struct rect){ noise.x, noise.y + y, noise.width, 20 },
				i * 10 + y);
		draw_counter(canvas, i);
		fake_render_flush_all(slow.fixture.render, 0);
		g_usleep(FRAME_US);
		if (i % 30 != 0)
			continue;
		g_autofree char *answer = client_ask(slow.fixture.client, "counter");
		if (answer_is_ok(answer))
			oldest = MAX(oldest, (gint64)i - answer_int(answer, "value"));
	}
	gint64 settled_ms = fixture_expect_canvas(&slow.fixture);
	g_test_message("oldest picture %" G_GINT64_FORMAT
		       " frames of 33 ms, exact after %" G_GINT64_FORMAT " ms",
		oldest, settled_ms);
	g_assert_cmpint(oldest, <, n_frames / 3);
	fixture_expect_short_waits(&slow.fixture);
	slow_stop(&slow);
}

/* A small change is shown soon although a screen is being refined. */
static void test_small_changes_come_first(void)
{
	struct slow slow;
	slow_start(&slow, 1024, 768, 4000);
	struct canvas *canvas = fixture_canvas(&slow.fixture);
	canvas_noise(canvas, (struct rect){ 0, 128, 1024, 640 }, 7);
	fake_render_flush_all(slow.fixture.render, 0);
	g_usleep(G_USEC_PER_SEC / 5);
	gint64 longest_ms = 0;
	for (unsigned i = 1; i <= 10; i++) {
		draw_counter(canvas, i);
		gint64 begin_us = g_get_monotonic_time();
		fake_render_flush_all(slow.fixture.render, 0);
		g_autofree char *hash = canvas_hash(canvas, (struct rect){ 64, 32, 608, 16 });
		g_free(client_run(
			slow.fixture.client, "wait-hash 64 32 608 16 %s %d", hash, SETTLE_MS));
		longest_ms = MAX(longest_ms, (g_get_monotonic_time() - begin_us) / 1000);
	}
	gint64 settled_ms = fixture_expect_canvas(&slow.fixture);
	g_test_message("small changes after %" G_GINT64_FORMAT
		       " ms at most, all exact after %" G_GINT64_FORMAT " ms",
		longest_ms, settled_ms);
	g_assert_cmpint(settled_ms, >, 0);
	slow_stop(&slow);
}

static void draw_noise(struct fixture *fixture, unsigned seed)
{
	canvas_noise(fixture_canvas(fixture), canvas_all(fixture_canvas(fixture)), seed);
	fake_render_flush_all(fixture->render, 0);
}

#define RETURNS 20
/* The whole picture is there again so soon, of 95 in a hundred. */
#define BACK_MS 300

static int compare(gconstpointer a, gconstpointer b)
{
	return *(const int *)a - *(const int *)b;
}

/* The desktop has gone on meanwhile, and what is shown first is what it shows now. */
static void test_back(void)
{
	struct fixture fixture;
	int ms[RETURNS];
	fixture_start(&fixture, 1920, 1080, NULL);
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	client_be_brief(fixture.client);
	for (unsigned i = 0; i < RETURNS; i++) {
		g_free(client_run(fixture.client, "disconnect"));
		draw_noise(&fixture, 100 + i);
		g_autofree char *hash =
			canvas_hash(fixture_canvas(&fixture), canvas_all(fixture_canvas(&fixture)));
		gint64 begin_us = g_get_monotonic_time();
		client_send(fixture.client, "reconnect");
		client_send(fixture.client, "wait-hash 0 0 1920 1080 %s %d", hash, SETTLE_MS);
		g_free(client_answer(fixture.client));
		g_autofree char *answer = client_answer(fixture.client);
		g_assert_true(answer_is_ok(answer));
		ms[i] = (int)((answer_int(answer, "now_us") - begin_us) / 1000);
	}
	qsort(ms, RETURNS, sizeof(ms[0]), compare);
	g_test_message("back after %d ms, p95 %d, at most %d", ms[RETURNS / 2],
		ms[RETURNS * 95 / 100 - 1], ms[RETURNS - 1]);
	g_assert_cmpint(ms[RETURNS * 95 / 100 - 1], <=, BACK_MS);
	fixture_stop(&fixture);
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	g_test_add_func("/pace/pictures-are-current", test_pictures_are_current);
	g_test_add_func("/pace/small-changes-come-first", test_small_changes_come_first);
	g_test_add_func("/pace/back", test_back);
	return g_test_run();
}
