/* SPDX-License-Identifier: MIT */
/*
 * video: checks that video reaches a stock client by the encoder that was chosen, with the right
 * pictures in it.
 */
#include "tests/client/fixture.h"
#include "tests/guest/counter_layout.h"

#define COLOR 0x3060c0
/*
 * Each channel may differ by this much: video's colours are not exact, but those of another matrix
 * are further off.
 */
#define COLOR_TOLERANCE 16
#define FRAMES 260

static const struct rect film = { 40, 40, 800, 450 };

static void draw(struct canvas *canvas, unsigned number)
{
	canvas_film(canvas, film, number);
	for (int cell = 0; cell < COUNTER_CELLS; cell++) {
		struct rect rect = { 60 + (uint32_t)cell * COUNTER_CELL_PX, 72, COUNTER_CELL_PX,
			COUNTER_HEIGHT_PX };
		canvas_fill(canvas, rect, counter_cell_color(1000 + number, cell));
	}
	canvas_fill(canvas, (struct rect){ 400, 300, 64, 64 }, COLOR);
}

static void expect_color(struct client *client)
{
	g_autofree char *answer = client_run(client, "pixel 432 332");
	g_autofree char *text = answer_text(answer, "pixel");
	uint32_t pixel = (uint32_t)strtoul(text, NULL, 16);
	g_test_message("%06x shown as %06x", COLOR, pixel);
	for (unsigned shift = 0; shift < 24; shift += 8)
		g_assert_cmpint(ABS((int)(pixel >> shift & 255) - (int)(COLOR >> shift & 255)), <=,
			COLOR_TOLERANCE);
}

/*
 * Waits for the list of encoders. Returns false, and skips the test, when this machine lacks the
 * encoder.
 */
static bool wait_encoders(struct fixture *fixture, const char *encoder)
{
	g_assert_true(fake_desktop_wait_log(fixture->desktop, "video: encoders:", 60000));
	g_autofree char *missing = g_strdup_printf("no encoder \"%s\"", encoder);
	if (!fake_desktop_wait_log(fixture->desktop, missing, 500))
		return true;
	g_test_skip("no such encoder here");
	return false;
}

static void play(struct fixture *fixture, unsigned first, unsigned n)
{
	for (unsigned i = first; i < first + n; i++) {
		draw(fixture_canvas(fixture), i);
		fake_render_flush(fixture->render, 0, &film, 1);
		g_usleep(G_USEC_PER_SEC / 30);
	}
}

struct encoder_case {
	const char *name, *codec;
};

static void test_encoder(gconstpointer user)
{
	const struct encoder_case *encoder = user;
	const struct fake_desktop_options options = { .encoder = encoder->name };
	struct fixture fixture;
	fixture_start(&fixture, 1024, 768, &options);
	if (wait_encoders(&fixture, encoder->name)) {
		fixture_connect(&fixture);
		client_send(fixture.client, "wait-counter %u 60000", FRAMES - 20);
		play(&fixture, 0, FRAMES);
		g_autofree char *waited = client_answer(fixture.client);
		g_assert_true(answer_is_ok(waited));
		/* The client still gets video, since that ends a second after the last picture. */
		play(&fixture, FRAMES, 10);
		expect_color(fixture.client);
		g_autofree char *stats = client_run(fixture.client, "stats");
		g_autofree char *codec = answer_text(stats, "codec");
		g_test_message("%s: codec %s, pictures told apart: %" G_GINT64_FORMAT " of %u",
			encoder->name, codec, answer_int(waited, "seen"), FRAMES);
		g_assert_cmpint(answer_int(stats, "streams"), >, 0);
		g_assert_cmpstr(codec, ==, encoder->codec);
		fixture_expect_canvas(&fixture);
	}
	fixture_stop(&fixture);
}

int main(int argc, char **argv)
{
	static const struct encoder_case cases[] = {
		{ "x264", "h264" },
		{ "openh264", "h264" },
		{ "vpx", "vp8" },
		{ "jpeg", "none" },
	};
	fixture_init(&argc, &argv);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strdup_printf("/video/%s", cases[i].name);
		g_test_add_data_func(path, &cases[i], test_encoder);
	}
	return g_test_run();
}
