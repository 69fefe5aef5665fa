/* SPDX-License-Identifier: MIT */
/*
 * screens: checks what render tells of heads, with spice-server and nobody connected. The test says
 * what a line carries (linked with --wrap=line_get).
 */
#include "display/spice/screens.h"

#include <drm_fourcc.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "common/shm.h"
#include "display/spice/spice_core.h"

struct desk {
	struct spice_core *core;
	struct line *line;
	struct screens *screens;
	unsigned n_left;
	unsigned n_released; /* frames */
};

static int line_rtt_us; /* atomic, since heads' threads ask for it; 0: no line is known */

bool __wrap_line_get(struct line *line, unsigned head, struct line_figures *figures);
bool __wrap_line_get(struct line *line, unsigned head, struct line_figures *figures)
{
	int rtt_us = g_atomic_int_get(&line_rtt_us);
	*figures = (struct line_figures){ .rtt_min_us = (uint32_t)rtt_us };
	return rtt_us > 0;
}

static void on_channel(void *user, enum spice_core_channel channel, unsigned id, bool connected)
{
}

static void on_connection(void *user, int fd, const void *key, bool connected)
{
}

static const struct spice_core_ops core_ops = {
	.channel = on_channel,
	.connection = on_connection,
};

static void on_wanted(void *user, const struct frame_head_mode *heads, unsigned n_heads)
{
}

static void on_stalled(void *user)
{
}

static void on_left(void *user)
{
	((struct desk *)user)->n_left++;
}

static const struct spice_gl_ops gl_ops = {
	.stalled = on_stalled,
	.left = on_left,
};

static void open_desk(struct desk *desk)
{
	*desk = (struct desk){ .line = line_create() };
	g_atomic_int_set(&line_rtt_us, 0);
	desk->core = spice_core_create(NULL, &core_ops, desk);
	g_assert_nonnull(desk->core);
	desk->screens =
		screens_create(spice_core_server(desk->core), desk->line, on_wanted, &gl_ops, desk);
	g_assert_nonnull(desk->screens);
}

static void close_desk(struct desk *desk)
{
	screens_drop_frames(desk->screens);
	spice_core_destroy(desk->core);
	screens_destroy(desk->screens);
	line_destroy(desk->line);
}

static bool turn_on(struct desk *desk, unsigned head, struct rect place, bool looked_at)
{
	const struct frame_head_on on = {
		.head = head,
		.x = place.x,
		.y = place.y,
		.width = place.width,
		.height = place.height,
		.refresh_mhz = 60000,
	};
	return screens_turn_on(desk->screens, &on, looked_at);
}

static void on_released(void *user, uint32_t buffer, uint32_t head, uint64_t serial)
{
	g_atomic_int_inc(&((struct desk *)user)->n_released);
}

static bool show(struct desk *desk, unsigned head, uint64_t serial, uint32_t kind)
{
	uint32_t width, height;
	g_assert_true(screens_size(desk->screens, head, &width, &height));
	const struct frame_buffer_add add = {
		.buffer = 1,
		.kind = kind,
		.width = width,
		.height = height,
		.stride_bytes = width * 4,
		.fourcc = DRM_FORMAT_XRGB8888,
		.modifier = DRM_FORMAT_MOD_LINEAR,
		.size_bytes = (uint64_t)width * height * 4,
	};
	const struct frame_present message = {
		.head = head,
		.buffer = 1,
		.serial = serial,
		.n_rects = 1,
		.rects = { { 0, 0, width, height } },
	};
	int fd = shm_create("test", add.size_bytes);
	struct shared_buffer *buffer = shared_buffer_create(&add, fd);
	g_assert_nonnull(buffer);
	struct frame *frame = frame_create(buffer, &message, width, height, on_released, desk);
	g_assert_nonnull(frame);
	bool shown = screens_show(desk->screens, frame, &message);
	shared_buffer_unref(buffer);
	close(fd);
	return shown;
}

static void expect_desktop(struct desk *desk, uint32_t width, uint32_t height)
{
	uint32_t w, h;
	g_assert_true(screens_desktop(desk->screens, &w, &h));
	g_assert_cmpuint(w, ==, width);
	g_assert_cmpuint(h, ==, height);
}

/* ---- cases ---- */

static void test_before_the_first_mode(void)
{
	struct desk desk;
	uint32_t width, height;
	int32_t x = 1, y = 1;
	open_desk(&desk);
	g_assert_cmpuint(screens_count(desk.screens), ==, 1);
	g_assert_true(screens_is_open(desk.screens, 0));
	for (unsigned head = 0; head <= FRAME_HEADS_MAX; head++) {
		g_assert_cmpint(screens_is_open(desk.screens, head), ==, head == 0);
		g_assert_false(screens_is_on(desk.screens, head));
		g_assert_false(screens_size(desk.screens, head, &width, &height));
		g_assert_false(screens_to_desktop(desk.screens, head, &x, &y));
		screens_new_viewer(desk.screens, head);
		screens_new_display(desk.screens, head);
		if (head > 0)
			g_assert_false(screens_cursor_move(desk.screens, head, 1, 1));
	}
	g_assert_cmpint(x, ==, 1);
	g_assert_false(screens_turn_off(desk.screens, 0));
	g_assert_false(screens_desktop(desk.screens, &width, &height));
	g_assert_cmpuint(width, ==, 0);
	close_desk(&desk);
}

static void test_the_desktop_is_what_is_on(void)
{
	struct desk desk;
	uint32_t width, height;
	open_desk(&desk);
	g_assert_true(turn_on(&desk, 0, (struct rect){ 0, 0, 800, 600 }, false));
	expect_desktop(&desk, 800, 600);
	g_assert_true(turn_on(&desk, 2, (struct rect){ 800, 100, 640, 720 }, false));
	expect_desktop(&desk, 1440, 820);
	g_assert_cmpuint(screens_count(desk.screens), ==, 2);
	g_assert_true(screens_size(desk.screens, 2, &width, &height));
	g_assert_cmpuint(width, ==, 640);
	g_assert_cmpuint(height, ==, 720);
	/* The head has moved, which is no new mode. */
	g_assert_true(turn_on(&desk, 2, (struct rect){ 0, 600, 640, 720 }, false));
	expect_desktop(&desk, 800, 1320);
	g_assert_true(screens_turn_off(desk.screens, 2));
	g_assert_false(screens_turn_off(desk.screens, 2));
	expect_desktop(&desk, 800, 600);
	/* The head's device stays, since spice-server cannot take it back. */
	g_assert_cmpuint(screens_count(desk.screens), ==, 2);
	g_assert_true(screens_turn_off(desk.screens, 0));
	g_assert_false(screens_desktop(desk.screens, &width, &height));
	close_desk(&desk);
}

/* Clients and render say positions, and both may say anything. */
static void test_positions(void)
{
	static const struct {
		int32_t x, y, desktop_x, desktop_y;
	} cases[] = {
		{ 5, 6, 805, 106 },
		{ -1, -2, 799, 98 },
		{ INT32_MAX, INT32_MAX, FRAME_SIZE_MAX + 800, FRAME_SIZE_MAX + 100 },
		{ INT32_MIN, INT32_MIN, 800 - FRAME_SIZE_MAX, 100 - FRAME_SIZE_MAX },
	};
	struct desk desk;
	open_desk(&desk);
	g_assert_true(turn_on(&desk, 1, (struct rect){ 800, 100, 640, 480 }, false));
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		int32_t x = cases[i].x, y = cases[i].y;
		g_assert_true(screens_to_desktop(desk.screens, 1, &x, &y));
		g_assert_cmpint(x, ==, cases[i].desktop_x);
		g_assert_cmpint(y, ==, cases[i].desktop_y);
	}
	close_desk(&desk);
}

static void test_serials_rise(void)
{
	struct desk desk;
	open_desk(&desk);
	g_assert_true(turn_on(&desk, 0, (struct rect){ 0, 0, 64, 48 }, false));
	g_assert_true(show(&desk, 0, 1, FRAME_BUFFER_MEMFD));
	g_assert_true(show(&desk, 0, 7, FRAME_BUFFER_MEMFD));
	for (uint64_t serial = 6; serial <= 7; serial++) {
		g_test_expect_message(
			"vitrine-display", G_LOG_LEVEL_WARNING, "*head 0: serial * after 7*");
		g_assert_false(show(&desk, 0, serial, FRAME_BUFFER_MEMFD));
		g_test_assert_expected_messages();
	}
	/* Another renderer counts frames from the beginning. */
	screens_drop_frames(desk.screens);
	g_assert_true(show(&desk, 0, 1, FRAME_BUFFER_MEMFD));
	close_desk(&desk);
	g_assert_cmpint(g_atomic_int_get(&desk.n_released), ==, 5);
}

static void test_dma_bufs_that_nobody_wants(void)
{
	struct desk desk;
	open_desk(&desk);
	g_assert_true(turn_on(&desk, 0, (struct rect){ 0, 0, 64, 48 }, false));
	screens_use_dmabufs(desk.screens, true);
	g_assert_cmpuint(desk.n_left, ==, 0);
	/* Nothing was shown yet, so all dma-bufs are gone at once. */
	screens_use_dmabufs(desk.screens, false);
	g_assert_cmpuint(desk.n_left, ==, 1);
	/* A dma-buf that was under way is no fault of render's, and is given back. */
	g_assert_true(show(&desk, 0, 1, FRAME_BUFFER_DMABUF));
	g_assert_cmpint(g_atomic_int_get(&desk.n_released), ==, 1);
	close_desk(&desk);
}

/* The head's surface is made anew for a client far away, unless a new mode waits or it is off. */
static void test_starting_over(void)
{
	struct desk desk;
	open_desk(&desk);
	g_atomic_int_set(&line_rtt_us, LINE_FAR_US);
	g_assert_false(screens_start_over(desk.screens, 0));
	g_assert_true(turn_on(&desk, 0, (struct rect){ 0, 0, 64, 48 }, false));
	g_assert_true(screens_start_over(desk.screens, 0));
	g_atomic_int_set(&line_rtt_us, LINE_FAR_US - 1);
	g_assert_false(screens_start_over(desk.screens, 0));
	g_atomic_int_set(&line_rtt_us, 0);
	g_assert_false(screens_start_over(desk.screens, 0));
	close_desk(&desk);
}

/* Whoever looks sees the old picture until the new mode has one, or until somebody else comes. */
static void test_a_mode_waits_for_its_frame(void)
{
	struct desk desk;
	open_desk(&desk);
	g_atomic_int_set(&line_rtt_us, LINE_FAR_US);
	g_assert_true(turn_on(&desk, 0, (struct rect){ 0, 0, 64, 48 }, true));
	g_assert_false(screens_start_over(desk.screens, 0));
	g_assert_true(show(&desk, 0, 1, FRAME_BUFFER_MEMFD));
	g_assert_true(screens_start_over(desk.screens, 0));
	g_assert_true(turn_on(&desk, 0, (struct rect){ 0, 0, 80, 48 }, true));
	g_assert_false(screens_start_over(desk.screens, 0));
	screens_settle(desk.screens);
	g_assert_true(screens_start_over(desk.screens, 0));
	/* The same size again is no new mode. */
	g_assert_true(turn_on(&desk, 0, (struct rect){ 10, 0, 80, 48 }, true));
	g_assert_true(screens_start_over(desk.screens, 0));
	close_desk(&desk);
}

static void test_cursor(void)
{
	struct frame_cursor_image image = { .hot_x = 1000, .hot_y = 1000 };
	struct desk desk;
	open_desk(&desk);
	g_assert_true(screens_cursor_image(
		desk.screens, image.head, image.pixels, image.hot_x, image.hot_y));
	g_assert_false(screens_cursor_image(
		desk.screens, image.head, image.pixels, image.hot_x, image.hot_y));
	image.pixels[FRAME_CURSOR_SIZE * FRAME_CURSOR_SIZE - 1] = 0xff000000u;
	g_assert_true(screens_cursor_image(
		desk.screens, image.head, image.pixels, image.hot_x, image.hot_y));
	g_assert_true(screens_cursor_move(desk.screens, 0, INT32_MAX, INT32_MIN));
	g_assert_false(screens_cursor_move(desk.screens, 0, INT32_MAX - 1, INT32_MIN));
	g_assert_true(screens_cursor_hide(desk.screens, 0));
	g_assert_false(screens_cursor_hide(desk.screens, 0));
	g_assert_true(screens_cursor_move(desk.screens, 0, INT32_MAX, INT32_MIN));
	image.head = 1;
	g_assert_false(screens_cursor_image(
		desk.screens, image.head, image.pixels, image.hot_x, image.hot_y));
	close_desk(&desk);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/screens/before-the-first-mode", test_before_the_first_mode);
	g_test_add_func("/screens/desktop", test_the_desktop_is_what_is_on);
	g_test_add_func("/screens/positions", test_positions);
	g_test_add_func("/screens/serials", test_serials_rise);
	g_test_add_func("/screens/dma-bufs-not-wanted", test_dma_bufs_that_nobody_wants);
	g_test_add_func("/screens/starting-over", test_starting_over);
	g_test_add_func("/screens/a-mode-waits", test_a_mode_waits_for_its_frame);
	g_test_add_func("/screens/cursor", test_cursor);
	return g_test_run();
}
