/* SPDX-License-Identifier: MIT */
/* cursor: compares the guest's pointer with what the client draws. */
#include "tests/client/fixture.h"

#include <string.h>

#define N_PIXELS (FRAME_CURSOR_SIZE * FRAME_CURSOR_SIZE)

/* Draws a shape like an arrow: opaque pixels that all differ, the rest transparent. */
static void shape_draw(uint32_t *pixels, uint32_t seed)
{
	for (uint32_t i = 0; i < N_PIXELS; i++) {
		uint32_t x = i % FRAME_CURSOR_SIZE, y = i / FRAME_CURSOR_SIZE;
		bool inside = x <= y && y < 40;

		pixels[i] = inside ? 0xff000000 | (i * 0x010305 + seed * 0x31) % 0xffffff : 0;
	}
}

/* Hashes the shape as spice-probe does: R, G, B, A. */
static char *shape_hash(const uint32_t *pixels)
{
	g_autofree guchar *bytes = g_malloc(N_PIXELS * 4);

	for (uint32_t i = 0; i < N_PIXELS; i++) {
		bytes[i * 4] = pixels[i] >> 16;
		bytes[i * 4 + 1] = pixels[i] >> 8;
		bytes[i * 4 + 2] = pixels[i];
		bytes[i * 4 + 3] = pixels[i] >> 24;
	}
	return g_compute_checksum_for_data(G_CHECKSUM_SHA256, bytes, N_PIXELS * 4);
}

static bool answer_shows(const char *answer, const uint32_t *pixels, int hot_x, int hot_y)
{
	g_autofree char *hash = answer_text(answer, "hash"), *expected = shape_hash(pixels);

	return answer_int(answer, "visible") && answer_int(answer, "width") == FRAME_CURSOR_SIZE &&
	       answer_int(answer, "height") == FRAME_CURSOR_SIZE &&
	       answer_int(answer, "hot_x") == hot_x && answer_int(answer, "hot_y") == hot_y &&
	       g_strcmp0(hash, expected) == 0;
}

static void expect_shape(struct fixture *fixture, const uint32_t *pixels, int hot_x, int hot_y)
{
	for (int i = 0; i < 100; i++) {
		g_autofree char *answer = client_run(fixture->client, "cursor");

		if (answer_shows(answer, pixels, hot_x, hot_y))
			return;
		g_free(client_run(fixture->client, "sleep 50"));
	}
	g_assert_not_reached();
}

/* Waits until a member of the `cursor` answer has a value. */
static void expect_member(struct fixture *fixture, const char *key, gint64 value)
{
	gint64 seen = -1;

	for (int i = 0; i < 100 && seen != value; i++) {
		g_autofree char *answer = client_run(fixture->client, "cursor");

		seen = answer_int(answer, key);
		g_free(client_run(fixture->client, "sleep 30"));
	}
	g_assert_cmpint(seen, ==, value);
}

static void test_image_and_hot_spot(void)
{
	uint32_t pixels[N_PIXELS];
	struct fixture fixture;

	fixture_start(&fixture, 800, 600, NULL);
	fixture_connect(&fixture);
	for (int i = 0; i < 5; i++) {
		shape_draw(pixels, i);
		fake_render_cursor_image(fixture.render, 0, i * 3, i * 7, pixels);
		expect_shape(&fixture, pixels, i * 3, i * 7);
	}
	fixture_stop(&fixture);
}

static void test_half_transparent_pixels(void)
{
	uint32_t pixels[N_PIXELS] = { 0 };
	struct fixture fixture;

	fixture_start(&fixture, 800, 600, NULL);
	fixture_connect(&fixture);
	for (int i = 0; i < 64; i++)
		pixels[i] = 0x80402010;
	fake_render_cursor_image(fixture.render, 0, 0, 0, pixels);
	g_free(client_run(fixture.client, "wait-cursor 1 5000"));
	g_autofree char *answer = client_run(fixture.client, "cursor-pixel 3 0");
	g_autofree char *pixel = answer_text(answer, "pixel");
	g_assert_cmpstr(pixel + 6, ==, "80");
	fixture_stop(&fixture);
}

static void test_client_that_comes_later_sees_it(void)
{
	uint32_t pixels[N_PIXELS];
	struct fixture fixture;

	fixture_start(&fixture, 800, 600, NULL);
	shape_draw(pixels, 9);
	fake_render_cursor_image(fixture.render, 0, 4, 5, pixels);
	fixture_connect(&fixture);
	expect_shape(&fixture, pixels, 4, 5);
	fixture_stop(&fixture);
}

static void test_hide_and_show(void)
{
	uint32_t pixels[N_PIXELS];
	struct fixture fixture;

	fixture_start(&fixture, 800, 600, NULL);
	fixture_connect(&fixture);
	shape_draw(pixels, 3);
	fake_render_cursor_image(fixture.render, 0, 1, 2, pixels);
	expect_shape(&fixture, pixels, 1, 2);
	fake_render_cursor_hide(fixture.render, 0);
	expect_member(&fixture, "visible", 0);
	shape_draw(pixels, 4);
	fake_render_cursor_image(fixture.render, 0, 1, 2, pixels);
	expect_shape(&fixture, pixels, 1, 2);
	fixture_stop(&fixture);
}

/* The guest gives no hot spot, but puts the picture where the pointer is, less that. */
static void test_hot_spot_is_found_out(void)
{
	uint32_t arrow[N_PIXELS], beam[N_PIXELS];
	struct fixture fixture;

	fixture_start(&fixture, 800, 600, NULL);
	fixture_connect(&fixture);
	g_free(client_run(fixture.client, "wait-mouse-mode client 5000"));
	shape_draw(arrow, 1);
	shape_draw(beam, 2);
	g_free(client_run(fixture.client, "move 100 120"));
	g_assert_true(fake_qemu_wait_count(fixture.qemu, 1, 5000));
	fake_render_cursor_image(fixture.render, 0, 0, 0, arrow);
	fake_render_cursor_move(fixture.render, 0, 96, 112);
	expect_shape(&fixture, arrow, 4, 8);
	/* The next one is another shape, and then the first is known at once. */
	fake_render_cursor_image(fixture.render, 0, 0, 0, beam);
	fake_render_cursor_move(fixture.render, 0, 99, 100);
	expect_shape(&fixture, beam, 1, 20);
	fake_render_cursor_image(fixture.render, 0, 0, 0, arrow);
	expect_shape(&fixture, arrow, 4, 8);
	/* What the guest says itself counts. */
	fake_render_cursor_image(fixture.render, 0, 2, 3, arrow);
	expect_shape(&fixture, arrow, 2, 3);
	fixture_stop(&fixture);
}

/* With a relative pointer the client draws the cursor where the guest says it is. */
static void test_move(void)
{
	const struct fake_desktop_options options = { .no_qemu = true };
	uint32_t pixels[N_PIXELS];
	struct fixture fixture;

	fixture_start(&fixture, 800, 600, &options);
	fixture_connect(&fixture);
	g_free(client_run(fixture.client, "wait-mouse-mode server 5000"));
	shape_draw(pixels, 5);
	fake_render_cursor_image(fixture.render, 0, 0, 0, pixels);
	expect_shape(&fixture, pixels, 0, 0);
	fake_render_cursor_move(fixture.render, 0, 123, 456);
	expect_member(&fixture, "x", 123);
	expect_member(&fixture, "y", 456);
	fake_render_cursor_hide(fixture.render, 0);
	expect_member(&fixture, "visible", 0);
	fake_render_cursor_move(fixture.render, 0, 7, 8);
	expect_member(&fixture, "visible", 1);
	expect_member(&fixture, "x", 7);
	/* SPICE says where the hot spot is, and virtio-gpu where the corner is. */
	fake_render_cursor_image(fixture.render, 0, 10, 20, pixels);
	expect_member(&fixture, "x", 17);
	expect_member(&fixture, "y", 28);
	fixture_stop(&fixture);
}

/* A pointer that moves thousands of times costs no picture: then everything is still right. */
static void test_storm(void)
{
	uint32_t pixels[N_PIXELS];
	struct fixture fixture;

	fixture_start(&fixture, 800, 600, NULL);
	fixture_connect(&fixture);
	for (int i = 0; i < 3000; i++) {
		if (i % 100 == 0) {
			shape_draw(pixels, i);
			fake_render_cursor_image(fixture.render, 0, i % 64, i / 100 % 64, pixels);
		}
		fake_render_cursor_move(fixture.render, 0, i % 800, i % 600);
	}
	shape_draw(pixels, 77);
	fake_render_cursor_image(fixture.render, 0, 11, 12, pixels);
	expect_shape(&fixture, pixels, 11, 12);
	fixture_expect_canvas(&fixture);
	fixture_stop(&fixture);
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	g_test_add_func("/cursor/image-and-hot-spot", test_image_and_hot_spot);
	g_test_add_func("/cursor/half-transparent-pixels", test_half_transparent_pixels);
	g_test_add_func(
		"/cursor/client-that-comes-later-sees-it", test_client_that_comes_later_sees_it);
	g_test_add_func("/cursor/hide-and-show", test_hide_and_show);
	g_test_add_func("/cursor/hot-spot-is-found-out", test_hot_spot_is_found_out);
	g_test_add_func("/cursor/move", test_move);
	g_test_add_func("/cursor/storm", test_storm);
	return g_test_run();
}
