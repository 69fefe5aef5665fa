/* SPDX-License-Identifier: MIT */
/* cap: measures what a real client is sent where --max-mbit says how much that may be. */
#include <stdlib.h>
#include <string.h>

#include "tests/client/fixture.h"
#include "tests/guest/counter_layout.h"

#define FRAME_US (G_USEC_PER_SEC / 30)
#define WARM_FRAMES 30
#define FRAMES 60
/* A key is with QEMU after so many milliseconds, whatever else is sent; the machine is busy. */
#define KEY_MS 200
/* The client shows a picture of the last second. */
#define OLDEST_FRAMES 30

static const struct rect film = { 40, 40, 800, 450 };

/* Sums up what all channels have read. */
static gint64 read_bytes(struct client *client)
{
	g_autofree char *answer = client_run(client, "stats");
	const char *at = strstr(answer, "\"bytes_read\":{");
	gint64 bytes = 0;
	g_assert_nonnull(at);
	for (at = strchr(at, '{'); *at != '}'; at++) {
		if (*at == ':')
			bytes += g_ascii_strtoll(at + 1, NULL, 10);
	}
	return bytes;
}

static void draw_counter(struct canvas *canvas, uint32_t value)
{
	for (int cell = 0; cell < COUNTER_CELLS; cell++) {
		struct rect rect = { 60 + (uint32_t)cell * COUNTER_CELL_PX, 72, COUNTER_CELL_PX,
			COUNTER_HEIGHT_PX };
		canvas_fill(canvas, rect, counter_cell_color(value, cell));
	}
}

/* Here and there: some of it is sent without loss, some becomes a film. */
static void draw_noise(struct canvas *canvas, unsigned number)
{
	for (unsigned i = 0; i < 6; i++) {
		uint32_t place = (number * 6 + i) * 617 % 64;
		canvas_noise(canvas,
			(struct rect){ 20 + place % 8 * 120, 110 + place / 8 * 80, 100, 64 },
			number * 10 + i);
	}
}

static void draw_film(struct canvas *canvas, unsigned number)
{
	canvas_film(canvas, film, number);
}

struct seen {
	double mbit;
	gint64 key_ms, oldest;
};

static void press(struct fixture *fixture, struct seen *seen)
{
	gint64 begin_us = g_get_monotonic_time();
	g_free(client_run(fixture->client, "press 1e"));
	g_assert_true(fake_qemu_wait_line(fixture->qemu, "key press 30", 5000));
	seen->key_ms = MAX(seen->key_ms, (g_get_monotonic_time() - begin_us) / 1000);
	g_free(client_run(fixture->client, "release 1e"));
	g_assert_true(fake_qemu_wait_line(fixture->qemu, "key release 30", 5000));
	g_free(fake_qemu_take_record(fixture->qemu));
}

static void look(struct fixture *fixture, unsigned number, struct seen *seen)
{
	g_autofree char *answer = client_ask(fixture->client, "counter");
	if (answer_is_ok(answer))
		seen->oldest = MAX(seen->oldest, (gint64)number - answer_int(answer, "value"));
	press(fixture, seen);
}

static struct seen play(struct fixture *fixture, void (*paint)(struct canvas *, unsigned))
{
	struct canvas *canvas = fixture_canvas(fixture);
	struct seen seen = { 0 };
	gint64 begin_us = 0, begin_bytes = 0;
	for (unsigned i = 1; i <= WARM_FRAMES + FRAMES; i++) {
		paint(canvas, i);
		draw_counter(canvas, i);
		fake_render_flush_all(fixture->render, 0);
		g_usleep(FRAME_US);
		if (i == WARM_FRAMES) {
			begin_bytes = read_bytes(fixture->client);
			begin_us = g_get_monotonic_time();
		}
		if (i > WARM_FRAMES && i % 15 == 0)
			look(fixture, i, &seen);
	}
	seen.mbit = (double)(read_bytes(fixture->client) - begin_bytes) * 8 /
		    (double)(g_get_monotonic_time() - begin_us);
	return seen;
}

struct cap_case {
	const char *name, *option;
	void (*paint)(struct canvas *canvas, unsigned number);
	double mbit;
	bool fills; /* there is more than enough to send */
};

static void test_cap(gconstpointer user)
{
	const struct cap_case *it = user;
	const struct fake_desktop_options options = { .arguments = { it->option } };
	struct fixture fixture;
	fixture_start(&fixture, 1024, 768, &options);
	/* The first picture is there at once. */
	canvas_fill(fixture_canvas(&fixture), canvas_all(fixture_canvas(&fixture)), 0x204060);
	fake_render_flush_all(fixture.render, 0);
	g_assert_true(fake_desktop_wait_log(fixture.desktop, "video: encoders:", 60000));
	fixture_connect(&fixture);
	g_free(client_run(fixture.client, "wait-mouse-mode client 10000"));
	struct seen seen = play(&fixture, it->paint);
	g_test_message("%s: %.2f Mbit/s, keys after %d ms at most, oldest picture %d frames",
		it->name, seen.mbit, (int)seen.key_ms, (int)seen.oldest);
	g_assert_cmpfloat(seen.mbit, <, it->mbit * 1.05);
	if (it->fills)
		g_assert_cmpfloat(seen.mbit, >, it->mbit * 0.3);
	g_assert_cmpint(seen.key_ms, <, KEY_MS);
	g_assert_cmpint(seen.oldest, <, OLDEST_FRAMES);
	fixture_expect_canvas(&fixture);
	fixture_stop(&fixture);
}

int main(int argc, char **argv)
{
	static const struct cap_case cases[] = {
		{ "pictures-5", "--max-mbit=5", draw_noise, 5, true },
		{ "pictures-20", "--max-mbit=20", draw_noise, 20, true },
		{ "film-1", "--max-mbit=1", draw_film, 1, false },
	};
	fixture_init(&argc, &argv);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strdup_printf("/cap/%s", cases[i].name);
		g_test_add_data_func(path, &cases[i], test_cap);
	}
	return g_test_run();
}
