/* SPDX-License-Identifier: MIT */
/*
 * cursor: tests the cursor queue, its pictures, and what display is told, with both threads' calls
 * in turns.
 */
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "common/link.h"
#include "protocol/frame_link.h"
#include "render/scanout/cursor.h"
#include "tests/unit/render/guest.h"

#define PIXELS_BYTES (FRAME_CURSOR_SIZE * FRAME_CURSOR_SIZE * 4)

/* This is more than the other tests send in a second. */
#define CURSOR_RATE 1000

struct fixture {
	struct guest guest;
	struct virtqueue *vq;
	/* The control queue, of which nothing is executed but what the test says. */
	struct guest drawing;
	struct virtqueue *control;
	uint16_t n_executed;
	struct cursor *cursor;
	int display_fd;
	unsigned n_images, n_moves, n_hides;
	struct frame_cursor_image image;
	struct frame_cursor_move move;
};

static void set_up(struct fixture *f, gconstpointer data)
{
	int pair[2];
	guest_init(&f->guest);
	f->vq = virtqueue_create("cursor");
	guest_start_ring(&f->guest, f->vq);
	guest_init(&f->drawing);
	f->control = virtqueue_create("control");
	guest_start_ring(&f->drawing, f->control);
	f->cursor = cursor_create(CURSOR_RATE);
	g_assert_cmpint(link_pair(pair), ==, 0);
	f->display_fd = pair[0];
	cursor_set_link(f->cursor, pair[1]);
	close(pair[1]);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	cursor_destroy(f->cursor);
	virtqueue_destroy(f->vq);
	virtqueue_destroy(f->control);
	guest_finish(&f->drawing);
	close(f->display_fd);
	guest_finish(&f->guest);
}

static bool on_image(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct fixture *f = user;
	f->image = *(const struct frame_cursor_image *)message;
	f->n_images++;
	return true;
}

static bool on_move(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct fixture *f = user;
	f->move = *(const struct frame_cursor_move *)message;
	f->n_moves++;
	return true;
}

static bool on_hide(void *user, const void *message, int *fds, unsigned n_fds)
{
	((struct fixture *)user)->n_hides++;
	return true;
}

static const struct link_handler display[] = {
	{ FRAME_MESSAGE_CURSOR_IMAGE, "CURSOR_IMAGE", sizeof(struct frame_cursor_image), 0, 0,
		on_image },
	{ FRAME_MESSAGE_CURSOR_MOVE, "CURSOR_MOVE", sizeof(struct frame_cursor_move), 0, 0,
		on_move },
	{ FRAME_MESSAGE_CURSOR_HIDE, "CURSOR_HIDE", sizeof(struct frame_cursor_hide), 0, 0,
		on_hide },
};

static void look(struct fixture *f)
{
	while (link_dispatch(f->display_fd, "render", display, G_N_ELEMENTS(display), f) == 1)
		;
}

/* Sends an UPDATE_CURSOR. Returns true when the gpu thread must fetch pixels. */
static bool update(struct fixture *f, uint32_t resource, uint32_t x)
{
	struct virtio_gpu_update_cursor c = { .hdr.type = VIRTIO_GPU_CMD_UPDATE_CURSOR,
		.pos = { .x = x, .y = 7 },
		.resource_id = resource,
		.hot_x = 1000,
		.hot_y = 5 };
	guest_submit(&f->guest, &c, sizeof(c), 0);
	bool wanted = cursor_work(f->cursor, f->vq, f->control);
	look(f);
	return wanted;
}

static void publish(struct fixture *f, uint32_t resource, uint8_t value, bool keep)
{
	uint8_t pixels[PIXELS_BYTES];
	memset(pixels, value, sizeof(pixels));
	cursor_publish(f->cursor, resource, pixels, keep);
}

/* Pixels that are known are shown without the gpu thread. */
static void test_snapshot(struct fixture *f, gconstpointer data)
{
	cursor_add_resource(f->cursor, 5);
	publish(f, 5, 0x11, true);
	g_assert_false(update(f, 5, 100));
	g_assert_cmpuint(f->n_images, ==, 1);
	g_assert_cmphex(f->image.pixels[0], ==, 0x11u * 0x01010101);
	g_assert_cmpuint(f->image.hot_x, ==, FRAME_CURSOR_SIZE - 1);
	g_assert_cmpint(f->move.x, ==, 100);
	g_assert_cmpuint(guest_count_used(&f->guest), ==, 1);
	g_assert_false(update(f, 0, 100));
	g_assert_cmpuint(f->n_hides, ==, 1);
}

/* Pixels that only the gpu thread can fetch are asked for, and shown when they come. */
static void test_request(struct fixture *f, gconstpointer data)
{
	cursor_add_resource(f->cursor, 5);
	g_assert_true(update(f, 5, 100));
	g_assert_cmpuint(f->n_images, ==, 0);
	g_assert_cmpuint(cursor_take_request(f->cursor, f->n_executed), ==, 5);
	publish(f, 5, 0x22, false);
	g_assert_cmpuint(cursor_take_request(f->cursor, f->n_executed), ==, 0);
	g_assert_true(cursor_send_waiting(f->cursor));
	look(f);
	g_assert_cmphex(f->image.pixels[0], ==, 0x22u * 0x01010101);
	/* They were not to be kept, so they are asked for again. */
	g_assert_true(update(f, 5, 101));
	g_assert_cmpuint(cursor_take_request(f->cursor, f->n_executed), ==, 5);
	cursor_remove_resource(f->cursor, 5);
	g_assert_cmpuint(cursor_take_request(f->cursor, f->n_executed), ==, 0);
}

static void draw(struct fixture *f)
{
	struct virtio_gpu_ctrl_hdr command = { .type = VIRTIO_GPU_CMD_SUBMIT_3D };
	guest_submit(&f->drawing, &command, sizeof(command), sizeof(command));
}

/* What was asked before is drawn before the picture is fetched, and nothing behind it counts. */
static void test_after_drawing(struct fixture *f, gconstpointer data)
{
	cursor_add_resource(f->cursor, 5);
	draw(f);
	draw(f);
	g_assert_true(update(f, 5, 100));
	draw(f);
	for (f->n_executed = 0; f->n_executed < 2; f->n_executed++) {
		g_assert_true(cursor_is_open(f->cursor));
		g_assert_cmpuint(cursor_take_request(f->cursor, f->n_executed), ==, 0);
	}
	g_assert_cmpuint(cursor_take_request(f->cursor, f->n_executed), ==, 5);
	publish(f, 5, 0x22, false);
	g_assert_false(cursor_is_open(f->cursor));
	/* A ring that begins anew keeps nobody waiting. */
	f->n_executed = 60000;
	g_assert_true(update(f, 5, 101));
	g_assert_cmpuint(cursor_take_request(f->cursor, f->n_executed), ==, 5);
}

/* A picture that is known is shown at once, and again when it was to be another one. */
static void test_early_snapshot(struct fixture *f, gconstpointer data)
{
	cursor_add_resource(f->cursor, 5);
	publish(f, 5, 0x11, true);
	draw(f);
	g_assert_true(update(f, 5, 100));
	g_assert_cmpuint(f->n_images, ==, 1);
	publish(f, 5, 0x11, true);
	g_assert_true(cursor_send_waiting(f->cursor));
	look(f);
	g_assert_cmpuint(f->n_images, ==, 1);
	publish(f, 5, 0x33, true);
	g_assert_true(cursor_send_waiting(f->cursor));
	look(f);
	g_assert_cmphex(f->image.pixels[0], ==, 0x33u * 0x01010101);
	f->n_executed = 1;
	g_assert_cmpuint(cursor_take_request(f->cursor, f->n_executed), ==, 0);
	g_assert_false(cursor_is_open(f->cursor));
	/* From here on it is another picture's, which nobody has asked to see. */
	publish(f, 5, 0x44, true);
	g_assert_true(cursor_send_waiting(f->cursor));
	look(f);
	g_assert_cmpuint(f->n_images, ==, 2);
}

static void test_unknown(struct fixture *f, gconstpointer data)
{
	struct virtio_gpu_update_cursor c = { .hdr.type = VIRTIO_GPU_CMD_MOVE_CURSOR,
		.pos.scanout_id = FRAME_HEADS_MAX };
	unsigned slot = guest_submit(&f->guest, &c, sizeof(c), sizeof(c.hdr));
	cursor_work(f->cursor, f->vq, f->control);
	g_assert_cmphex(
		guest_answer_type(&f->guest, slot), ==, VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID);
	slot = guest_submit(&f->guest, &c, 8, sizeof(c.hdr));
	cursor_work(f->cursor, f->vq, f->control);
	g_assert_cmphex(guest_answer_type(&f->guest, slot), ==, VIRTIO_GPU_RESP_ERR_UNSPEC);
	g_assert_false(update(f, 77, 100));
	g_assert_cmpuint(f->n_images, ==, 0);
}

/* A guest makes more cursors than are kept, and takes them away again. */
static void test_many(struct fixture *f, gconstpointer data)
{
	for (uint32_t id = 1; id <= 300; id++) {
		cursor_add_resource(f->cursor, id);
		publish(f, id, (uint8_t)id, true);
	}
	g_assert_false(update(f, 1, 100));
	g_assert_true(update(f, 300, 100));
	for (uint32_t id = 1; id <= 300; id++)
		cursor_remove_resource(f->cursor, id);
	cursor_add_resource(f->cursor, 7);
	publish(f, 7, 0x77, true);
	g_assert_false(update(f, 7, 100));
	g_assert_cmphex(f->image.pixels[0], ==, 0x77u * 0x01010101);
}

/* A reset hides the cursor at once; a new display is told all when there is something to tell. */
static void test_reset(struct fixture *f, gconstpointer data)
{
	cursor_add_resource(f->cursor, 5);
	publish(f, 5, 0x11, true);
	update(f, 5, 100);
	int pair[2];
	g_assert_cmpint(link_pair(pair), ==, 0);
	close(f->display_fd);
	f->display_fd = pair[0];
	cursor_set_link(f->cursor, pair[1]);
	close(pair[1]);
	g_assert_true(cursor_send_waiting(f->cursor));
	look(f);
	g_assert_cmpuint(f->n_images, ==, 2);
	cursor_reset(f->cursor);
	look(f);
	g_assert_cmpuint(f->n_hides, ==, 1);
}

/* Past the rate a command changes nothing; a second later they count again. */
static void test_rate(struct fixture *f, gconstpointer data)
{
	cursor_add_resource(f->cursor, 5);
	publish(f, 5, 0x11, true);
	update(f, 5, 1);
	g_assert_cmpuint(f->n_images, ==, 1);
	gint64 begin_us = g_get_monotonic_time();
	uint32_t x = 1;
	while (f->move.x == (int32_t)x && g_get_monotonic_time() - begin_us < G_USEC_PER_SEC / 2)
		update(f, 5, ++x);
	if (f->move.x == (int32_t)x && x <= CURSOR_RATE) {
		g_test_skip("this machine is too slow to reach the rate");
		return;
	}
	g_assert_cmpuint(x, ==, CURSOR_RATE + 1);
	g_assert_cmpint(f->move.x, ==, CURSOR_RATE);
	g_usleep(G_USEC_PER_SEC * 11 / 10);
	update(f, 5, 7);
	g_assert_cmpint(f->move.x, ==, 7);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* Refusals are warnings, which must not end a test that is about them. */
	g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
	static const struct {
		const char *name;
		void (*run)(struct fixture *f, gconstpointer data);
	} cases[] = {
		{ "/cursor/snapshot", test_snapshot },
		{ "/cursor/request", test_request },
		{ "/cursor/after-drawing", test_after_drawing },
		{ "/cursor/early-snapshot", test_early_snapshot },
		{ "/cursor/unknown", test_unknown },
		{ "/cursor/many", test_many },
		{ "/cursor/reset", test_reset },
		{ "/cursor/rate", test_rate },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add(cases[i].name, struct fixture, NULL, set_up, cases[i].run, tear_down);
	return g_test_run();
}
