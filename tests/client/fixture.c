/* SPDX-License-Identifier: MIT */
#include "tests/client/fixture.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/client/patience.h"

/* A first start takes this long at most, as it looks through all of GStreamer's plugins. */
#define ENCODERS_MS 60000
#define CONNECT_MS 20000
#define SKIPPED 77

void fixture_init(int *argc, char ***argv)
{
	if (!g_getenv("VITRINE_DISPLAY") || !g_getenv("SPICE_PROBE")) {
		g_print("1..0 # SKIP VITRINE_DISPLAY and SPICE_PROBE must name the programs\n");
		exit(SKIPPED);
	}
	signal(SIGPIPE, SIG_IGN);
	g_test_init(argc, argv, NULL);
	g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
}

struct canvas *fixture_canvas(struct fixture *fixture)
{
	return &fixture->render->heads[0].canvas;
}

void fixture_start(struct fixture *fixture, uint32_t width, uint32_t height,
	const struct fake_desktop_options *options)
{
	static const struct fake_desktop_options plain;
	const struct fake_layout layout = { .width = width, .height = height };

	*fixture = (struct fixture){ .desktop = fake_desktop_start(options ? options : &plain) };
	fixture->render = fake_desktop_render(fixture->desktop);
	fixture->qemu = fake_desktop_qemu(fixture->desktop);
	fake_render_head_on(fixture->render, 0, &layout);
	canvas_noise(fixture_canvas(fixture), canvas_all(fixture_canvas(fixture)), 1);
	fake_render_flush_all(fixture->render, 0);
}

void fixture_connect(struct fixture *fixture)
{
	/*
	 * We wait for the encoders, because other ones than at the start would end a stream that
	 * has begun.
	 */
	g_assert_true(fake_desktop_wait_log(fixture->desktop, "video: encoders:", ENCODERS_MS));
	fixture->client = client_new(fake_desktop_address(fixture->desktop), NULL);
	g_assert_true(client_is_connected(fixture->client));
	g_assert_true(fake_render_wait_rate(fixture->render, 0, true, CONNECT_MS));
}

void fixture_stop(struct fixture *fixture)
{
	g_clear_pointer(&fixture->client, client_free);
	fake_desktop_stop(fixture->desktop);
}

/* Saves what was expected and what is seen, for the person who looks into it. */
static void save_difference(struct fixture *fixture)
{
	const struct canvas *canvas = fixture_canvas(fixture);
	g_autoptr(GString) ppm = g_string_new(NULL);
	/* The process id keeps the files of tests apart that run at once. */
	g_autofree char *start =
		g_strdup_printf("%s/client-test-%d", g_get_tmp_dir(), (int)getpid());
	g_autofree char *path = g_strdup_printf("%s-expected.ppm", start);

	g_string_append_printf(ppm, "P6\n%u %u\n255\n", canvas->width, canvas->height);
	for (size_t i = 0; i < (size_t)canvas->width * canvas->height; i++) {
		g_string_append_c(ppm, canvas->pixels[i] >> 16 & 0xff);
		g_string_append_c(ppm, canvas->pixels[i] >> 8 & 0xff);
		g_string_append_c(ppm, canvas->pixels[i] & 0xff);
	}
	g_file_set_contents(path, ppm->str, ppm->len, NULL);
	g_free(client_ask(fixture->client, "screenshot %s-seen.ppm", start));
	g_printerr("picture differs: see %s-expected.ppm and %s-seen.ppm\n", start, start);
	fake_desktop_print_log(fixture->desktop);
}

gint64 fixture_expect_canvas(struct fixture *fixture)
{
	struct canvas *canvas = fixture_canvas(fixture);
	g_autofree char *hash = canvas_hash(canvas, canvas_all(canvas));
	g_autofree char *size = client_run(
		fixture->client, "wait-size %u %u %d", canvas->width, canvas->height, SETTLE_MS);
	g_autofree char *answer = client_ask(fixture->client, "wait-hash 0 0 %u %u %s %d",
		canvas->width, canvas->height, hash, SETTLE_MS);

	if (!answer_is_ok(answer))
		save_difference(fixture);
	g_assert_true(answer_is_ok(answer));
	return answer_int(answer, "elapsed_ms");
}

void fixture_expect_short_waits(struct fixture *fixture)
{
	struct fake_render *render = fixture->render;
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&render->lock);
	double mean_ms = render->total_wait_us / 1000.0 / MAX(render->n_frames, 1);

	g_test_message("waits for a buffer: longest %.1f ms, mean %.2f ms, %" G_GUINT64_FORMAT
		       " frames; most buffers locked: %u",
		render->max_wait_us / 1000.0, mean_ms, render->n_frames, render->max_locked);
	g_assert_cmpstr(render->broken, ==, NULL);
	g_assert_cmpint(render->max_wait_us / 1000, <, patience_ms(WAIT_LIMIT_MS));
	g_assert_cmpfloat(mean_ms, <, patience_ms(WAIT_MEAN_LIMIT_MS));
}
