/* SPDX-License-Identifier: MIT */
/*
 * painter: runs it with a spice-server that behaves as badly as it may (pulls late, keeps
 * everything). Memory and locked buffers stay bounded, and what it is given in the end is the
 * guest's last bitmap.
 */
#include "display/painting/painter.h"

#include <drm_fourcc.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "common/shm.h"

#define WIDTH 1280u
#define HEIGHT 720u
#define BUFFERS (FRAME_LOCKED_MAX + 1)

static const struct send_limits limits = { UINT64_MAX, UINT64_MAX, 400000000 };

struct guest {
	struct head *head;
	struct painter *painter;
	uint32_t stride_bytes;
	uint32_t *canvas;
	uint32_t *memory[BUFFERS];
	struct shared_buffer *buffers[BUFFERS];
	bool locked[BUFFERS];
	unsigned max_locked;
	uint64_t serial;
};

static void on_released(void *user, uint32_t buffer, uint32_t head, uint64_t serial)
{
	struct guest *guest = user;
	g_assert_true(guest->locked[buffer - 1]);
	guest->locked[buffer - 1] = false;
}

/* Makes buffers whose last row ends with the object, whatever the stride. */
static void guest_init_buffers(struct guest *guest, uint32_t stride_bytes, bool watched)
{
	size_t size_bytes = stride_bytes * (HEIGHT - 1) + WIDTH * 4;
	*guest = (struct guest){ .head = head_create(0), .stride_bytes = stride_bytes };
	guest->canvas = g_malloc0(WIDTH * HEIGHT * 4);
	guest->painter = painter_create(guest->head);
	head_resize(guest->head, WIDTH, HEIGHT);
	head_set_watched(guest->head, watched);
	for (uint32_t i = 0; i < BUFFERS; i++) {
		struct frame_buffer_add add = {
			.buffer = i + 1,
			.kind = FRAME_BUFFER_MEMFD,
			.width = WIDTH,
			.height = HEIGHT,
			.stride_bytes = stride_bytes,
			.fourcc = DRM_FORMAT_XRGB8888,
			.size_bytes = size_bytes,
		};
		int fd = shm_create("test", size_bytes);
		guest->buffers[i] = shared_buffer_create(&add, fd);
		guest->memory[i] = shm_map(fd, size_bytes, true);
		close(fd);
	}
}

static void guest_init(struct guest *guest)
{
	guest_init_buffers(guest, WIDTH * 4, true);
}

static void guest_finish(struct guest *guest)
{
	painter_destroy(guest->painter);
	head_destroy(guest->head);
	for (unsigned i = 0; i < BUFFERS; i++) {
		g_assert_false(guest->locked[i]);
		shared_buffer_unref(guest->buffers[i]);
		shm_unmap(guest->memory[i], guest->stride_bytes * (HEIGHT - 1) + WIDTH * 4);
	}
	g_free(guest->canvas);
}

/* Returns a free buffer, which must be there, since the guest never waits. */
static unsigned free_buffer(struct guest *guest)
{
	for (unsigned i = 0; i < BUFFERS; i++) {
		if (!guest->locked[i])
			return i;
	}
	g_error("all buffers are locked: the guest would wait");
}

static void guest_flush(struct guest *guest, struct rect rect)
{
	unsigned i = free_buffer(guest);
	for (uint32_t y = 0; y < HEIGHT; y++)
		memcpy((uint8_t *)guest->memory[i] + y * guest->stride_bytes,
			guest->canvas + y * WIDTH, WIDTH * 4);
	struct frame_present message = { .buffer = i + 1, .serial = ++guest->serial };
	guest->locked[i] = true;
	head_push_frame(guest->head,
		frame_create(guest->buffers[i], &message, WIDTH, HEIGHT, on_released, guest), &rect,
		1);
	unsigned n_locked = 0;
	for (i = 0; i < BUFFERS; i++)
		n_locked += guest->locked[i];
	guest->max_locked = MAX(guest->max_locked, n_locked);
}

static void guest_draw(struct guest *guest, struct rect rect, uint32_t color)
{
	for (uint32_t y = rect.y; y < rect.y + rect.height; y++) {
		for (uint32_t x = rect.x; x < rect.x + rect.width; x++)
			guest->canvas[y * WIDTH + x] = color + x * y;
	}
	guest_flush(guest, rect);
}

/* Plays a spice-server: lists what it holds and keeps what its client has been shown. */
struct server {
	struct painter *painter;
	GQueue held; /* struct bitmap */
	uint32_t *surface;
};

static void server_scroll(struct server *server, const struct bitmap *bitmap)
{
	const struct rect *rect = &bitmap->rect;
	g_autofree uint32_t *before = g_memdup2(server->surface, WIDTH * HEIGHT * 4);
	for (uint32_t row = 0; row < rect->height; row++)
		memcpy(server->surface + (rect->y + row) * WIDTH + rect->x,
			before + (bitmap->from_y + row) * WIDTH + bitmap->from_x, rect->width * 4);
}

static void server_show(struct server *server, const struct bitmap *bitmap)
{
	const struct rect *rect = &bitmap->rect;
	if (bitmap->kind == BITMAP_SCROLL) {
		server_scroll(server, bitmap);
		return;
	}
	for (uint32_t row = 0; row < rect->height; row++) {
		uint32_t *to = server->surface + (rect->y + row) * WIDTH + rect->x;
		if (bitmap->pixels)
			memcpy(to, bitmap->pixels + (size_t)row * bitmap->stride_bytes,
				rect->width * 4);
		else
			memset(to, 0, rect->width * 4);
	}
}

static bool covers(const struct bitmap *newer, const struct bitmap *older)
{
	return newer->rect.x <= older->rect.x && newer->rect.y <= older->rect.y &&
	       newer->rect.x + newer->rect.width >= older->rect.x + older->rect.width &&
	       newer->rect.y + newer->rect.height >= older->rect.y + older->rect.height;
}

/* Takes a bitmap, and releases those that it covers. A real one promises no more than that. */
static enum bitmap_result server_pull(struct server *server)
{
	struct bitmap bitmap;
	enum bitmap_result result = painter_take(server->painter, 0, &limits, &bitmap);
	if (result != BITMAP_TAKEN)
		return result;
	for (GList *l = server->held.head, *after; l; l = after) {
		after = l->next;
		if (!covers(&bitmap, l->data))
			continue;
		painter_release(server->painter, l->data);
		g_free(l->data);
		g_queue_delete_link(&server->held, l);
	}
	server_show(server, &bitmap);
	g_queue_push_tail(&server->held, g_memdup2(&bitmap, sizeof(bitmap)));
	return result;
}

/* Releases the oldest as spice_qxl_oom() does: draws it into the surface and lets go of it. */
static bool server_free_some(struct server *server, unsigned n)
{
	bool waiting = false;
	for (; n > 0 && server->held.length > 0; n--) {
		struct bitmap *bitmap = g_queue_pop_head(&server->held);
		waiting = painter_release(server->painter, bitmap);
		g_free(bitmap);
	}
	return waiting;
}

static void server_settle(struct server *server)
{
	enum bitmap_result result;
	while ((result = server_pull(server)) != BITMAP_NONE) {
		if (result == BITMAP_STARVED)
			g_assert_true(server_free_some(server, 64));
		else
			g_assert_cmpint(result, ==, BITMAP_TAKEN);
	}
}

static size_t held_bytes(const struct server *server)
{
	size_t bytes = 0;
	for (GList *l = server->held.head; l; l = l->next)
		bytes += ((struct bitmap *)l->data)->copy_bytes;
	return bytes;
}

static void run(bool small, unsigned n_frames, unsigned pull_every)
{
	struct guest guest;
	struct server server = { .surface = g_malloc0(WIDTH * HEIGHT * 4) };
	g_autoptr(GRand) random = g_rand_new_with_seed(n_frames + pull_every);
	guest_init(&guest);
	server.painter = guest.painter;
	for (unsigned i = 0; i < n_frames; i++) {
		uint32_t side_max = small ? 40 : HEIGHT;
		uint32_t width = (uint32_t)g_rand_int_range(random, 1, (int)side_max);
		uint32_t height = (uint32_t)g_rand_int_range(random, 1, (int)side_max);
		struct rect rect = {
			(uint32_t)g_rand_int_range(random, 0, (int)(WIDTH - width)),
			(uint32_t)g_rand_int_range(random, 0, (int)(HEIGHT - height)),
			width,
			height,
		};
		if (!small && i % 3 == 0)
			rect = (struct rect){ 0, 0, WIDTH, HEIGHT };
		guest_draw(&guest, rect, i * 77);
		if (i % pull_every == 0 && server_pull(&server) == BITMAP_STARVED)
			server_free_some(&server, 64);
		g_assert_cmpuint(held_bytes(&server), <=, BITMAP_HEAP_MAX);
		g_assert_cmpuint(server.held.length, <=, BITMAP_COPIES_MAX + BITMAP_SOURCES_MAX);
	}
	server_settle(&server);
	g_assert_cmpmem(server.surface, WIDTH * HEIGHT * 4, guest.canvas, WIDTH * HEIGHT * 4);
	g_assert_cmpuint(guest.max_locked, <=, BUFFERS);
	server_free_some(&server, UINT_MAX);
	guest_finish(&guest);
	g_free(server.surface);
}

static void test_small(void)
{
	run(true, 1000, 1);
	run(true, 3000, 1000);
}

static void test_mixed(void)
{
	run(false, 200, 1);
	run(false, 200, 7);
}

/* Takes a picture that comes in two halves; painter.c says why. */
static void take_halves(struct guest *guest, struct bitmap halves[2])
{
	for (unsigned i = 0; i < 2; i++) {
		g_assert_cmpint(
			painter_take(guest->painter, 0, &limits, &halves[i]), ==, BITMAP_TAKEN);
		g_assert_nonnull(halves[i].source);
		g_assert_cmpuint(halves[i].rect.height, ==, HEIGHT / 2);
		g_assert_cmpuint(halves[i].rect.y, ==, i * HEIGHT / 2);
		g_assert_false(halves[i].moving);
	}
}

static void test_whole_points_into_the_buffer(void)
{
	struct guest guest;
	struct bitmap first[2], second[2], third[2];
	guest_init(&guest);
	struct rect most = { 0, 0, WIDTH, HEIGHT * 3 / 4 };
	guest_draw(&guest, most, 1);
	take_halves(&guest, first);
	guest_draw(&guest, most, 2);
	take_halves(&guest, second);
	guest_draw(&guest, most, 3);
	g_assert_cmpint(painter_take(guest.painter, 0, &limits, &third[0]), ==, BITMAP_BLOCKED);
	g_assert_true(painter_release(guest.painter, &first[0]));
	g_assert_cmpint(painter_take(guest.painter, 0, &limits, &third[0]), ==, BITMAP_BLOCKED);
	g_assert_true(painter_release(guest.painter, &first[1]));
	take_halves(&guest, third);
	for (unsigned i = 0; i < 2; i++) {
		g_assert_false(painter_release(guest.painter, &second[i]));
		g_assert_false(painter_release(guest.painter, &third[i]));
	}
	guest_finish(&guest);
}

/* Rows reach beyond the object's end, so the bitmap must be copied, however much of it changed. */
static void test_copies_what_is_not_whole(void)
{
	struct guest guest;
	struct bitmap bitmap;
	guest_init_buffers(&guest, WIDTH * 4 + 64, true);
	guest_draw(&guest, (struct rect){ 0, 0, WIDTH, HEIGHT }, 1);
	g_assert_cmpint(painter_take(guest.painter, 0, &limits, &bitmap), ==, BITMAP_TAKEN);
	g_assert_null(bitmap.source);
	g_assert_nonnull(bitmap.copy);
	painter_release(guest.painter, &bitmap);
	guest_finish(&guest);
}

/* Bitmaps that are just too small to be sent whole are taken, and none is given back. */
static void test_heap_is_bounded(void)
{
	struct guest guest;
	struct bitmap bitmaps[64], one_more;
	unsigned n = 0;
	size_t bytes = 0;
	enum bitmap_result result;
	guest_init(&guest);
	do {
		g_assert_cmpuint(n, <, G_N_ELEMENTS(bitmaps));
		guest_draw(&guest, (struct rect){ 0, n, WIDTH, HEIGHT * 2 / 3 }, n);
		result = painter_take(guest.painter, 0, &limits, &bitmaps[n]);
		if (result == BITMAP_TAKEN)
			bytes += bitmaps[n++].copy_bytes;
		g_assert_cmpuint(bytes, <=, BITMAP_HEAP_MIN);
	} while (result == BITMAP_TAKEN);
	g_assert_cmpint(result, ==, BITMAP_STARVED);
	g_assert_cmpuint(n, >=, 4);
	for (unsigned i = 0; i < n; i++)
		painter_release(guest.painter, &bitmaps[i]);
	g_assert_cmpint(painter_take(guest.painter, 0, &limits, &one_more), ==, BITMAP_TAKEN);
	painter_release(guest.painter, &one_more);
	guest_finish(&guest);
}

static void test_starves_once(void)
{
	struct guest guest;
	struct bitmap bitmaps[BITMAP_COPIES_MAX], one_more;
	guest_init(&guest);
	for (unsigned i = 0; i <= BITMAP_COPIES_MAX; i++) {
		struct rect dot = { 2 * i % WIDTH, 2 * (2 * i / WIDTH), 1, 1 };
		guest_draw(&guest, dot, i + 1);
		if (i < BITMAP_COPIES_MAX)
			g_assert_cmpint(painter_take(guest.painter, 0, &limits, &bitmaps[i]), ==,
				BITMAP_TAKEN);
	}
	g_assert_cmpint(painter_take(guest.painter, 0, &limits, &one_more), ==, BITMAP_STARVED);
	g_assert_cmpint(painter_take(guest.painter, 0, &limits, &one_more), ==, BITMAP_BLOCKED);
	g_assert_true(painter_release(guest.painter, &bitmaps[0]));
	g_assert_cmpint(painter_take(guest.painter, 0, &limits, &one_more), ==, BITMAP_TAKEN);
	painter_release(guest.painter, &one_more);
	for (unsigned i = 1; i < BITMAP_COPIES_MAX; i++)
		g_assert_false(painter_release(guest.painter, &bitmaps[i]));
	guest_finish(&guest);
}

/* The guest flushes a screen on which nothing or one spot has changed. */
static void test_sends_what_differs(void)
{
	struct guest guest;
	struct bitmap bitmap;
	struct rect whole = { 0, 0, WIDTH, HEIGHT };
	guest_init(&guest);
	guest_draw(&guest, whole, 1);
	while (painter_take(guest.painter, 0, &limits, &bitmap) == BITMAP_TAKEN)
		painter_release(guest.painter, &bitmap);
	for (unsigned i = 0; i < 10; i++) {
		guest_draw(&guest, whole, 1);
		g_assert_cmpint(painter_take(guest.painter, 0, &limits, &bitmap), ==, BITMAP_NONE);
	}
	guest.canvas[100 * WIDTH + 200] ^= 0xff;
	guest_flush(&guest, whole);
	g_assert_cmpint(painter_take(guest.painter, 0, &limits, &bitmap), ==, BITMAP_TAKEN);
	g_assert_cmpuint(bitmap.rect.y, ==, 100);
	g_assert_cmpuint(bitmap.rect.height, ==, 1);
	g_assert_cmpuint(bitmap.rect.x, <=, 200);
	g_assert_cmpuint(bitmap.rect.width, <=, 64);
	painter_release(guest.painter, &bitmap);
	guest_finish(&guest);
}

/* Frames that come while nobody looks are shown as they come. */
static void test_unwatched(void)
{
	struct guest guest;
	struct bitmap bitmap;
	guest_init_buffers(&guest, WIDTH * 4, false);
	for (unsigned i = 0; i < 3; i++) {
		guest_draw(&guest, (struct rect){ 5, 6, 7, 8 }, 1);
		g_assert_cmpint(painter_take(guest.painter, 0, &limits, &bitmap), ==, BITMAP_TAKEN);
		g_assert_cmpuint(bitmap.rect.width, ==, 7);
		painter_release(guest.painter, &bitmap);
	}
	guest_finish(&guest);
}

/* A line that is full still takes a key press's change; the rest waits, and is not lost. */
static void test_small_beyond_a_full_line(void)
{
	const struct send_limits full = { 0, 8192, 400000000 }, over = { 0, 0, 400000000 };
	struct guest guest;
	struct bitmap bitmap;
	guest_init(&guest);
	guest_draw(&guest, (struct rect){ 320, 160, 8, 16 }, 1);
	g_assert_cmpint(painter_take(guest.painter, 0, &over, &bitmap), ==, BITMAP_BLOCKED);
	g_assert_cmpint(painter_take(guest.painter, 0, &full, &bitmap), ==, BITMAP_TAKEN);
	g_assert_cmpuint(bitmap.rect.height, ==, 16);
	painter_release(guest.painter, &bitmap);
	guest_draw(&guest, (struct rect){ 0, 200, 1000, 500 }, 2);
	g_assert_cmpint(painter_take(guest.painter, 0, &full, &bitmap), ==, BITMAP_BLOCKED);
	g_assert_cmpint(painter_take(guest.painter, 0, &limits, &bitmap), ==, BITMAP_TAKEN);
	painter_release(guest.painter, &bitmap);
	guest_finish(&guest);
}

/* Plays a film on all of the head until it is video. Returns the time. */
static int64_t play_until_video(struct guest *guest)
{
	struct bitmap bitmap;
	int64_t now_us = 0;
	for (unsigned i = 0; !painter_wants_ticks(guest->painter); i++) {
		g_assert_cmpuint(i, <, 200);
		now_us += 20000;
		guest_draw(guest, (struct rect){ 0, 0, WIDTH, HEIGHT }, i * 77);
		while (painter_take(guest->painter, now_us, &limits, &bitmap) == BITMAP_TAKEN)
			painter_release(guest->painter, &bitmap);
	}
	return now_us;
}

/*
 * spice-server holds all frames there may be and waits for a newer one, and that one waits for it
 * to let go of one. So the area ends by the clock, and what it showed last is given without loss.
 */
static void test_area_ends_while_all_is_held(void)
{
	struct guest guest;
	struct bitmap held[BITMAP_SOURCES_MAX + 1], last;
	unsigned n = 0;
	guest_init(&guest);
	int64_t now_us = play_until_video(&guest);
	enum bitmap_result result = BITMAP_TAKEN;
	while (result == BITMAP_TAKEN) {
		g_assert_cmpuint(n, <, G_N_ELEMENTS(held));
		now_us += 20000;
		guest_draw(&guest, (struct rect){ 0, 0, WIDTH, HEIGHT }, n * 77 + 5);
		result = painter_take(guest.painter, now_us, &limits, &held[n]);
		n += result == BITMAP_TAKEN;
	}
	g_assert_cmpint(painter_take(guest.painter, now_us, &limits, &last), ==, BITMAP_BLOCKED);
	g_assert_true(painter_wants_ticks(guest.painter));
	now_us += 300000;
	g_assert_cmpint(painter_take(guest.painter, now_us, &limits, &last), ==, BITMAP_TAKEN);
	g_assert_false(last.moving);
	g_assert_false(painter_wants_ticks(guest.painter));
	painter_release(guest.painter, &last);
	for (unsigned i = 0; i < n; i++)
		painter_release(guest.painter, &held[i]);
	guest_finish(&guest);
}

static void test_blank(void)
{
	struct guest guest;
	struct bitmap bitmap;
	guest_init(&guest);
	guest_draw(&guest, (struct rect){ 0, 0, 9, 9 }, 1);
	head_push_blank(guest.head);
	g_assert_cmpint(painter_take(guest.painter, 0, &limits, &bitmap), ==, BITMAP_TAKEN);
	g_assert_null(bitmap.pixels);
	g_assert_cmpuint(bitmap.rect.width, ==, WIDTH);
	painter_release(guest.painter, &bitmap);
	g_assert_cmpint(painter_take(guest.painter, 0, &limits, &bitmap), ==, BITMAP_NONE);
	guest_finish(&guest);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/painter/small", test_small);
	g_test_add_func("/painter/mixed", test_mixed);
	g_test_add_func("/painter/whole-points-into-the-buffer", test_whole_points_into_the_buffer);
	g_test_add_func("/painter/copies-what-is-not-whole", test_copies_what_is_not_whole);
	g_test_add_func("/painter/heap-is-bounded", test_heap_is_bounded);
	g_test_add_func("/painter/starves-once", test_starves_once);
	g_test_add_func("/painter/sends-what-differs", test_sends_what_differs);
	g_test_add_func("/painter/unwatched", test_unwatched);
	g_test_add_func("/painter/small-beyond-a-full-line", test_small_beyond_a_full_line);
	g_test_add_func("/painter/area-ends-while-all-is-held", test_area_ends_while_all_is_held);
	g_test_add_func("/painter/blank", test_blank);
	return g_test_run();
}
