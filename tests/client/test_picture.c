/* SPDX-License-Identifier: MIT */
/* picture: checks that the client sees, pixel for pixel, what the guest shows. */
#include "tests/client/fixture.h"
#include "tests/guest/counter_layout.h"

static void test_idle_guest_is_seen_at_once(void)
{
	struct fixture fixture;

	fixture_start(&fixture, 800, 600, NULL);
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	g_assert_cmpuint(fake_render_count_frames(fixture.render), ==, 1);
	fixture_stop(&fixture);
}

static void test_nobody_looks_no_frames(void)
{
	struct fixture fixture;

	fixture_start(&fixture, 640, 480, NULL);
	g_usleep(300000);
	g_assert_cmpuint(fake_render_count_frames(fixture.render), ==, 0);
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	g_clear_pointer(&fixture.client, client_free);
	g_assert_true(fake_render_wait_rate(fixture.render, 0, false, 5000));
	fixture_stop(&fixture);
}

static void test_full_frames(void)
{
	struct fixture fixture;

	fixture_start(&fixture, 1024, 768, NULL);
	fixture_connect(&fixture);
	for (unsigned i = 0; i < 10; i++) {
		struct canvas *canvas = fixture_canvas(&fixture);

		canvas_noise(canvas, canvas_all(canvas), 100 + i);
		fake_render_flush_all(fixture.render, 0);
		fixture_expect_canvas(&fixture);
	}
	fixture_expect_short_waits(&fixture);
	fixture_stop(&fixture);
}

static const struct rect small_rects[] = {
	{ 0, 0, 1, 1 },
	{ 798, 598, 1, 1 },
	{ 3, 5, 7, 11 },
	{ 100, 100, 1, 300 },
	{ 5, 200, 700, 1 },
	{ 31, 33, 63, 65 },
	{ 400, 300, 128, 128 },
	{ 0, 590, 799, 9 },
	{ 795, 0, 4, 599 },
	{ 13, 17, 255, 3 },
};

static void test_small_rects(void)
{
	struct fixture fixture;

	fixture_start(&fixture, 799, 599, NULL);
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	for (unsigned i = 0; i < G_N_ELEMENTS(small_rects); i++) {
		canvas_noise(fixture_canvas(&fixture), small_rects[i], 200 + i);
		fake_render_flush(fixture.render, 0, &small_rects[i], 1);
		fixture_expect_canvas(&fixture);
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(small_rects); i++)
		canvas_fill(fixture_canvas(&fixture), small_rects[i], 0x123456 * (i + 1));
	fake_render_flush(fixture.render, 0, small_rects, G_N_ELEMENTS(small_rects));
	fixture_expect_canvas(&fixture);
	fixture_stop(&fixture);
}

static const struct fake_layout odd_layouts[] = {
	{ .width = 801, .height = 601 },
	{ .width = 333,
		.height = 222,
		.source_x = 17,
		.source_y = 9,
		.pad_columns = 5,
		.pad_rows = 3 },
	{ .width = 1366, .height = 768, .pad_stride_bytes = 40 },
	{ .width = 641, .height = 479, .pad_stride_bytes = 4, .offset_bytes = 4 },
	{ .width = 16, .height = 16 },
	{ .width = 1920, .height = 1080, .source_x = 1, .source_y = 1, .offset_bytes = 4096 },
	{ .width = 2048, .height = 64, .pad_columns = 1 },
};

static void test_sizes_and_strides(void)
{
	struct fixture fixture;

	fixture_start(&fixture, 640, 480, NULL);
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	for (unsigned i = 0; i < G_N_ELEMENTS(odd_layouts); i++) {
		const struct fake_layout *layout = &odd_layouts[i];
		struct rect part = { 3, 2, layout->width - 7, layout->height - 5 };

		fake_render_head_on(fixture.render, 0, layout);
		canvas_noise(
			fixture_canvas(&fixture), canvas_all(fixture_canvas(&fixture)), 300 + i);
		fake_render_flush_all(fixture.render, 0);
		fixture_expect_canvas(&fixture);
		canvas_noise(fixture_canvas(&fixture), part, 400 + i);
		fake_render_flush(fixture.render, 0, &part, 1);
		fixture_expect_canvas(&fixture);
	}
	fixture_expect_short_waits(&fixture);
	fixture_stop(&fixture);
}

static void test_thousand_scattered_updates(void)
{
	const unsigned columns = 40, rows = 25, n = columns * rows;
	struct fixture fixture;

	fixture_start(&fixture, 1280, 800, NULL);
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	for (unsigned i = 0; i < n; i++) {
		/*
		 * 617 has no factor in common with 1000, so each cell comes once and neighbours are
		 * far apart in time.
		 */
		unsigned cell = i * 617 % n;
		struct rect rect = { cell % columns * 32 + 3, cell / columns * 32 + 5, 21, 19 };

		canvas_noise(fixture_canvas(&fixture), rect, 1000 + i);
		fake_render_flush(fixture.render, 0, &rect, 1);
		g_usleep(2000);
	}
	fixture_expect_canvas(&fixture);
	fixture_expect_short_waits(&fixture);
	fixture_stop(&fixture);
}

static void test_thirty_two_rects_at_once(void)
{
	struct rect rects[FRAME_RECTS_MAX];
	struct fixture fixture;

	fixture_start(&fixture, 1024, 768, NULL);
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < FRAME_RECTS_MAX; i++) {
			unsigned place = (i * 7 + round * 13) % 192;

			rects[i] = (struct rect){ place % 16 * 64 + round, place / 16 * 64 + i, 17,
				23 };
			canvas_noise(fixture_canvas(&fixture), rects[i], round * 50 + i);
		}
		fake_render_flush(fixture.render, 0, rects, FRAME_RECTS_MAX);
	}
	fixture_expect_canvas(&fixture);
	fixture_expect_short_waits(&fixture);
	fixture_stop(&fixture);
}

static void film_play(struct fixture *fixture, struct rect rect, unsigned n_frames)
{
	for (unsigned i = 0; i < n_frames; i++) {
		canvas_film(fixture_canvas(fixture), rect, i);
		fake_render_flush(fixture->render, 0, &rect, 1);
		g_usleep(G_USEC_PER_SEC / 40);
	}
}

static void film_test(uint32_t width, uint32_t height, struct rect rect)
{
	struct fixture fixture;

	fixture_start(&fixture, width, height, NULL);
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	film_play(&fixture, rect, 160);
	gint64 settled_ms = fixture_expect_canvas(&fixture);
	g_autofree char *stats = client_run(fixture.client, "stats");
	g_test_message("streams %" G_GINT64_FORMAT ", exact %" G_GINT64_FORMAT
		       " ms after the last frame",
		answer_int(stats, "streams"), settled_ms);
	g_assert_cmpint(settled_ms, <, 8000);
	fixture_expect_short_waits(&fixture);
	fixture_stop(&fixture);
}

static void test_film_in_a_window_ends_exact(void)
{
	film_test(1024, 768, (struct rect){ 120, 80, 640, 360 });
}

static void test_film_on_the_whole_screen_ends_exact(void)
{
	film_test(800, 600, (struct rect){ 0, 0, 800, 600 });
}

static void counter_draw(struct canvas *canvas, uint32_t value, uint32_t x, uint32_t y)
{
	for (int cell = 0; cell < COUNTER_CELLS; cell++) {
		struct rect rect = { x + cell * COUNTER_CELL_PX, y, COUNTER_CELL_PX,
			COUNTER_HEIGHT_PX };

		canvas_fill(canvas, rect, counter_cell_color(value, cell));
	}
}

/*
 * Video is shown while it plays, not only when it has ended: it plays until the client has read
 * numbers in it that lie this far apart. How many it reads between them depends on the machine.
 */
static void test_counter_in_a_film(void)
{
	const struct rect rect = { 40, 40, 800, 450 };
	const unsigned advance = 100, n_frames_max = 3000;
	unsigned n_frames = 0;
	struct fixture fixture;

	fixture_start(&fixture, 1024, 768, NULL);
	fixture_connect(&fixture);
	client_send(fixture.client, "wait-counter %u 60000", advance);
	while (!client_has_answer(fixture.client) && n_frames < n_frames_max) {
		canvas_film(fixture_canvas(&fixture), rect, n_frames);
		counter_draw(fixture_canvas(&fixture), 1000 + n_frames++, 60, 72);
		fake_render_flush(fixture.render, 0, &rect, 1);
		g_usleep(G_USEC_PER_SEC / 30);
	}
	g_autofree char *answer = client_answer(fixture.client);
	g_assert_true(answer_is_ok(answer));
	g_assert_cmpint(answer_int(answer, "seen"), >=, 5);
	fixture_expect_canvas(&fixture);
	g_autofree char *stats = client_run(fixture.client, "stats");
	g_test_message("pictures told apart: %" G_GINT64_FORMAT " of %u, streams %" G_GINT64_FORMAT,
		answer_int(answer, "seen"), n_frames, answer_int(stats, "streams"));
	g_assert_cmpint(answer_int(stats, "streams"), >, 0);
	fixture_stop(&fixture);
}

static void expect_head(struct fixture *fixture, unsigned head)
{
	struct canvas *canvas = &fixture->render->heads[head].canvas;
	g_autofree char *hash = canvas_hash(canvas, canvas_all(canvas));

	g_free(client_run(fixture->client, "wait-size %u %u %d %u", canvas->width, canvas->height,
		SETTLE_MS, head));
	g_free(client_run(fixture->client, "wait-hash 0 0 %u %u %s %d %u", canvas->width,
		canvas->height, hash, SETTLE_MS, head));
}

/*
 * Draws letter `seed` at a place on a line of text; returns how many bytes the client read for it.
 */
static gint64 type_letter(struct fixture *fixture, unsigned place, unsigned seed)
{
	struct rect letter = { 64 + place * 9, 100, 8, 14 };
	struct canvas *canvas = fixture_canvas(fixture);
	for (unsigned i = 0; i < letter.width * letter.height; i++)
		canvas->pixels[(letter.y + i / letter.width) * canvas->width + letter.x +
			       i % letter.width] = (i + 1) * seed * 2654435761u >> 8;
	g_autofree char *before = client_run(fixture->client, "stats");
	fake_render_flush_all(fixture->render, 0);
	fixture_expect_canvas(fixture);
	g_autofree char *after = client_run(fixture->client, "stats");
	return answer_int(after, "display-0") - answer_int(before, "display-0");
}

/*
 * Letters are noise, which cannot be compressed below its 448 bytes. What the client has got before
 * it draws from its cache, and each client has its own.
 */
static void test_letter_typed_again(void)
{
	const gint64 pixels_bytes = 8 * 14 * 4;
	struct fixture fixture;

	fixture_start(&fixture, 800, 600, NULL);
	for (unsigned client = 0; client < 2; client++) {
		fixture_connect(&fixture);
		fixture_expect_canvas(&fixture);
		canvas_fill(fixture_canvas(&fixture), canvas_all(fixture_canvas(&fixture)), 0);
		fake_render_flush_all(fixture.render, 0);
		fixture_expect_canvas(&fixture);
		type_letter(&fixture, 0, 99);
		g_assert_cmpint(type_letter(&fixture, 1, 5), >, pixels_bytes);
		g_assert_cmpint(type_letter(&fixture, 2, 6), >, pixels_bytes);
		for (unsigned i = 3; i < 40; i++)
			g_assert_cmpint(type_letter(&fixture, i, 5 + i % 2), <, pixels_bytes / 2);
		g_clear_pointer(&fixture.client, client_free);
	}
	fixture_stop(&fixture);
}

static void test_two_heads(void)
{
	const struct fake_layout second = { .width = 640, .height = 481 };
	struct fixture fixture;

	fixture_start(&fixture, 1024, 768, NULL);
	fake_render_head_on(fixture.render, 1, &second);
	struct canvas *canvas = &fixture.render->heads[1].canvas;
	canvas_noise(canvas, canvas_all(canvas), 2);
	fake_render_flush_all(fixture.render, 1);
	fixture_connect(&fixture);
	expect_head(&fixture, 0);
	expect_head(&fixture, 1);
	for (unsigned i = 0; i < 10; i++) {
		const struct rect rect = { i * 7, i * 11, 77, 33 };
		unsigned head = i % 2;

		canvas_noise(&fixture.render->heads[head].canvas, rect, 800 + i);
		fake_render_flush(fixture.render, head, &rect, 1);
		expect_head(&fixture, head);
	}
	fixture_expect_short_waits(&fixture);
	fixture_stop(&fixture);
}

static void test_resize_and_off(void)
{
	static const struct fake_layout sizes[] = {
		{ .width = 1920, .height = 1080 },
		{ .width = 640, .height = 480 },
		{ .width = 1280, .height = 720 },
	};
	struct fixture fixture;

	fixture_start(&fixture, 1024, 768, NULL);
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	for (unsigned i = 0; i < 9; i++) {
		fake_render_head_on(fixture.render, 0, &sizes[i % G_N_ELEMENTS(sizes)]);
		canvas_noise(
			fixture_canvas(&fixture), canvas_all(fixture_canvas(&fixture)), 500 + i);
		fake_render_flush_all(fixture.render, 0);
		if (i % 2)
			fixture_expect_canvas(&fixture);
	}
	fake_render_head_off(fixture.render, 0);
	g_usleep(200000);
	fake_render_head_on(fixture.render, 0, &sizes[0]);
	canvas_noise(fixture_canvas(&fixture), canvas_all(fixture_canvas(&fixture)), 600);
	fake_render_flush_all(fixture.render, 0);
	fixture_expect_canvas(&fixture);
	fixture_expect_short_waits(&fixture);
	fixture_stop(&fixture);
}

static void test_renderer_replaced(void)
{
	struct fixture fixture;

	fixture_start(&fixture, 1024, 768, NULL);
	fixture_connect(&fixture);
	fixture_expect_canvas(&fixture);
	for (unsigned i = 0; i < 5; i++) {
		canvas_noise(
			fixture_canvas(&fixture), canvas_all(fixture_canvas(&fixture)), 700 + i);
		fake_desktop_renew_frame_link(fixture.desktop);
		fixture_expect_canvas(&fixture);
	}
	fixture_stop(&fixture);
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	g_test_add_func("/picture/idle-guest-is-seen-at-once", test_idle_guest_is_seen_at_once);
	g_test_add_func("/picture/nobody-looks-no-frames", test_nobody_looks_no_frames);
	g_test_add_func("/picture/full-frames", test_full_frames);
	g_test_add_func("/picture/small-rects", test_small_rects);
	g_test_add_func("/picture/sizes-and-strides", test_sizes_and_strides);
	g_test_add_func("/picture/thousand-scattered-updates", test_thousand_scattered_updates);
	g_test_add_func("/picture/thirty-two-rects-at-once", test_thirty_two_rects_at_once);
	g_test_add_func("/picture/film-in-a-window-ends-exact", test_film_in_a_window_ends_exact);
	g_test_add_func("/picture/film-on-the-whole-screen-ends-exact",
		test_film_on_the_whole_screen_ends_exact);
	g_test_add_func("/picture/counter-in-a-film", test_counter_in_a_film);
	g_test_add_func("/picture/letter-typed-again", test_letter_typed_again);
	g_test_add_func("/picture/two-heads", test_two_heads);
	g_test_add_func("/picture/resize-and-off", test_resize_and_off);
	g_test_add_func("/picture/renderer-replaced", test_renderer_replaced);
	return g_test_run();
}
