/* SPDX-License-Identifier: MIT */
/*
 * heads: checks what a person sees: scanouts, parts of resources, several heads, the cursor, sizes
 * and EDIDs.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/wire/scene3d.h"
#include "tests/wire/wire.h"

#define WIDTH 320
#define HEIGHT 200

static struct desktop *create(bool virgl)
{
	struct desktop_options options = {
		.virgl = virgl,
		.layout = GUEST_MEMORY_SPREAD,
		.shape = GUEST_SHAPE_INDIRECT,
		.event_idx = true,
	};
	return desktop_create(&options);
}

/* Makes a 2D resource full of noise. Returns the pixels, which the caller frees. */
static uint32_t *make_noise_resource(
	struct guest *guest, uint32_t id, uint32_t seed, uint32_t width, uint32_t height)
{
	guest_rect all = { 0, 0, width, height };
	uint32_t *pixels = wire_noise(seed, width * height);
	struct guest_backing *backing =
		guest_backing_create(guest, width * height * 4, GUEST_PAGE_SIZE);
	guest_backing_write(backing, 0, pixels, width * height * 4);
	wire_ok(guest_gpu_create_2d(guest, id, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, width, height));
	wire_ok(guest_backing_attach(backing, id));
	wire_ok(guest_gpu_transfer_2d(guest, id, all, 0));
	wire_ok(guest_gpu_detach_backing(guest, id));
	guest_backing_free(backing);
	return pixels;
}

static uint32_t *cut(const uint32_t *pixels, uint32_t width, guest_rect part)
{
	uint32_t *copy = g_new(uint32_t, part.width * part.height);
	for (uint32_t y = 0; y < part.height; y++)
		memcpy(copy + y * part.width, pixels + (part.y + y) * width + part.x,
			part.width * 4);
	return copy;
}

static void test_parts_2d(void)
{
	struct desktop *desktop = create(false);
	static const guest_rect parts[] = { { 0, 0, 100, 100 }, { 17, 31, 64, 48 },
		{ WIDTH - 1, HEIGHT - 1, 1, 1 }, { 0, 0, WIDTH, HEIGHT }, { 200, 100, 120, 100 } };
	g_autofree uint32_t *pixels = make_noise_resource(desktop->guest, 3, 1, WIDTH, HEIGHT);
	for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
		g_autofree uint32_t *expected = cut(pixels, WIDTH, parts[i]);
		wire_ok(guest_gpu_set_scanout(desktop->guest, 0, 3, parts[i]));
		wire_ok(guest_gpu_flush(desktop->guest, 3, parts[i]));
		g_assert_true(desktop_shows(desktop, 0, expected, parts[i].width, parts[i].height));
	}
	desktop_destroy(desktop);
}

static void test_parts_3d(void)
{
	struct desktop *desktop = create(true);
	static const guest_rect parts[] = { { 0, 0, 64, 48 }, { 33, 21, 77, 61 },
		{ 0, 0, SCENE3D_WIDTH, SCENE3D_HEIGHT } };
	for (int y_0_top = 0; y_0_top < 2; y_0_top++) {
		struct scene3d *scene = scene3d_create(desktop->guest, 40, y_0_top);
		g_autofree uint32_t *pixels = g_new(uint32_t, SCENE3D_WIDTH * SCENE3D_HEIGHT);
		scene3d_expect(5, y_0_top, pixels);
		wire_ok(scene3d_draw(scene, 5));
		for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
			g_autofree uint32_t *expected = cut(pixels, SCENE3D_WIDTH, parts[i]);
			wire_ok(guest_gpu_set_scanout(desktop->guest, 0, 40, parts[i]));
			wire_ok(guest_gpu_flush(desktop->guest, 40, parts[i]));
			g_assert_true(desktop_shows(
				desktop, 0, expected, parts[i].width, parts[i].height));
		}
		scene3d_destroy(scene, false);
	}
	desktop_destroy(desktop);
}

/* Two heads show two halves of one resource, and the guest flips between two resources. */
static void test_several(void)
{
	struct desktop *desktop = create(false);
	struct guest *guest = desktop->guest;
	guest_rect left = { 0, 0, 160, HEIGHT }, right = { 160, 0, 160, HEIGHT };
	g_autofree uint32_t *a = make_noise_resource(guest, 3, 1, WIDTH, HEIGHT);
	g_autofree uint32_t *b = make_noise_resource(guest, 4, 2, WIDTH, HEIGHT);
	g_autofree uint32_t *a_left = cut(a, WIDTH, left), *a_right = cut(a, WIDTH, right);
	g_autofree uint32_t *b_right = cut(b, WIDTH, right);
	consumer_link_rate(desktop->consumer, 1, 1000000);
	wire_ok(guest_gpu_set_scanout(guest, 0, 3, left));
	wire_ok(guest_gpu_set_scanout(guest, 1, 3, right));
	wire_ok(guest_gpu_flush(guest, 3, (guest_rect){ 0, 0, WIDTH, HEIGHT }));
	g_assert_true(desktop_shows(desktop, 0, a_left, 160, HEIGHT));
	g_assert_true(desktop_shows(desktop, 1, a_right, 160, HEIGHT));
	for (int i = 0; i < 10; i++) {
		wire_ok(guest_gpu_set_scanout(guest, 1, 4, right));
		wire_ok(guest_gpu_flush(guest, 4, right));
		g_assert_true(desktop_shows(desktop, 1, b_right, 160, HEIGHT));
		wire_ok(guest_gpu_set_scanout(guest, 1, 3, right));
		wire_ok(guest_gpu_flush(guest, 3, right));
		g_assert_true(desktop_shows(desktop, 1, a_right, 160, HEIGHT));
	}
	/* A head goes off when its scanout is resource 0, and when its resource goes away. */
	wire_ok(guest_gpu_set_scanout(guest, 1, 0, (guest_rect){ 0 }));
	wire_ok(guest_gpu_unref(guest, 3));
	gint64 end = g_get_monotonic_time() + wire_ms(5000) * 1000;
	const struct consumer_state_answer *state;
	do
		state = consumer_link_state(desktop->consumer);
	while ((state->heads[0].on || state->heads[1].on) && g_get_monotonic_time() < end);
	g_assert_false(state->heads[0].on);
	g_assert_false(state->heads[1].on);
	desktop_destroy(desktop);
}

static unsigned long resident_kib(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/statm", (int)pid), *text = NULL;
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return strtoul(strchr(text, ' '), NULL, 10) * GUEST_PAGE_SIZE / 1024;
}

#define PICTURES 4
#define TURNS 400
/* By then each head has been on. */
#define WARM_TURNS 100
#define GROWTH_MAX_KIB 4096

/* Any of 16 heads goes on, off, or to another part of another picture. */
static void test_sixteen(void)
{
	struct desktop *desktop = create(false);
	struct guest *guest = desktop->guest;
	uint32_t *pictures[PICTURES];
	bool on[FRAME_HEADS_MAX] = { 0 };
	unsigned long warm_kib = 0;
	for (unsigned i = 0; i < PICTURES; i++)
		pictures[i] = make_noise_resource(guest, 3 + i, i + 1, WIDTH, HEIGHT);
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++)
		consumer_link_rate(desktop->consumer, head, 1000000);
	for (unsigned turn = 0; turn < TURNS; turn++) {
		unsigned head = (unsigned)g_test_rand_int_range(0, FRAME_HEADS_MAX);
		unsigned i = (unsigned)g_test_rand_int_range(0, PICTURES);
		guest_rect part = { (uint32_t)g_test_rand_int_range(0, WIDTH / 2),
			(uint32_t)g_test_rand_int_range(0, HEIGHT / 2),
			(uint32_t)g_test_rand_int_range(1, WIDTH / 2),
			(uint32_t)g_test_rand_int_range(1, HEIGHT / 2) };
		if (on[head] && g_test_rand_int_range(0, 2) == 0) {
			wire_ok(guest_gpu_set_scanout(guest, head, 0, (guest_rect){ 0 }));
			on[head] = false;
		} else {
			g_autofree uint32_t *expected = cut(pictures[i], WIDTH, part);
			wire_ok(guest_gpu_set_scanout(guest, head, 3 + i, part));
			wire_ok(guest_gpu_flush(guest, 3 + i, part));
			g_assert_true(
				desktop_shows(desktop, head, expected, part.width, part.height));
			on[head] = true;
		}
		if (turn + 1 == WARM_TURNS)
			warm_kib = resident_kib(desktop_renderer(desktop));
	}
	unsigned long kib = resident_kib(desktop_renderer(desktop));
	g_test_message("render has %lu KiB, %lu after %d turns", kib, warm_kib, WARM_TURNS);
	g_assert_cmpuint(kib, <, warm_kib + GROWTH_MAX_KIB);
	for (unsigned i = 0; i < PICTURES; i++)
		g_free(pictures[i]);
	desktop_destroy(desktop);
}

/* While nobody looks no frames come; when somebody begins to look the picture comes at once. */
static void test_rate(void)
{
	struct desktop *desktop = create(false);
	struct guest *guest = desktop->guest;
	guest_rect all = { 0, 0, WIDTH, HEIGHT };
	consumer_link_rate(desktop->consumer, 0, 0);
	g_usleep(100000);
	g_autofree uint32_t *pixels = make_noise_resource(guest, 3, 1, WIDTH, HEIGHT);
	uint64_t before = consumer_link_state(desktop->consumer)->heads[0].frames;
	wire_ok(guest_gpu_set_scanout(guest, 0, 3, all));
	for (int i = 0; i < 20; i++)
		wire_ok(guest_gpu_flush(guest, 3, all));
	g_usleep(100000);
	g_assert_cmpuint(consumer_link_state(desktop->consumer)->heads[0].frames, ==, before);
	consumer_link_rate(desktop->consumer, 0, 60000);
	g_assert_true(desktop_shows(desktop, 0, pixels, WIDTH, HEIGHT));
	desktop_destroy(desktop);
}

/* When few of many pictures are wanted, the last one always comes. */
static void test_last_picture(void)
{
	struct desktop *desktop = create(false);
	struct guest *guest = desktop->guest;
	guest_rect all = { 0, 0, 64, 64 };
	struct guest_backing *backing = guest_backing_create(guest, 64 * 64 * 4, GUEST_PAGE_SIZE);
	wire_ok(guest_gpu_create_2d(guest, 3, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, 64, 64));
	wire_ok(guest_backing_attach(backing, 3));
	wire_ok(guest_gpu_set_scanout(guest, 0, 3, all));
	consumer_link_rate(desktop->consumer, 0, 20000);
	g_usleep(50000);
	g_autofree uint32_t *pixels = NULL;
	uint64_t before = consumer_link_state(desktop->consumer)->heads[0].frames;
	gint64 start = g_get_monotonic_time();
	for (uint32_t i = 0; g_get_monotonic_time() - start < 1000000; i++) {
		g_free(pixels);
		pixels = wire_noise(i, 64 * 64);
		guest_backing_write(backing, 0, pixels, 64 * 64 * 4);
		wire_ok(guest_gpu_transfer_2d(guest, 3, all, 0));
		wire_ok(guest_gpu_flush(guest, 3, all));
		g_usleep(1000);
	}
	uint64_t frames = consumer_link_state(desktop->consumer)->heads[0].frames - before;
	g_test_message("%" G_GUINT64_FORMAT " frames in 1 s, 20 wanted", frames);
	g_assert_cmpuint(frames, >=, 12);
	g_assert_true(desktop_shows(desktop, 0, pixels, 64, 64));
	guest_backing_free(backing);
	desktop_destroy(desktop);
}

/* A display that releases nothing, or reads nothing, never stops the guest. */
static void test_stalled_display(void)
{
	struct desktop *desktop = create(false);
	struct guest *guest = desktop->guest;
	guest_rect all = { 0, 0, WIDTH, HEIGHT };
	struct guest_backing *backing =
		guest_backing_create(guest, WIDTH * HEIGHT * 4, GUEST_PAGE_SIZE);
	wire_ok(guest_gpu_create_2d(guest, 3, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, WIDTH, HEIGHT));
	wire_ok(guest_backing_attach(backing, 3));
	wire_ok(guest_gpu_set_scanout(guest, 0, 3, all));
	for (int mode = 0; mode < 2; mode++) {
		consumer_link_mode(desktop->consumer, mode == 0, mode == 1);
		gint64 slowest = 0;
		g_autofree uint32_t *pixels = NULL;
		for (uint32_t i = 0; i < 300; i++) {
			g_free(pixels);
			pixels = wire_noise(1000 + i, WIDTH * HEIGHT);
			guest_backing_write(backing, 0, pixels, WIDTH * HEIGHT * 4);
			gint64 start = g_get_monotonic_time();
			wire_ok(guest_gpu_transfer_2d(guest, 3, all, 0));
			wire_ok(guest_gpu_flush(guest, 3, all));
			guest_gpu_cursor(guest, VIRTIO_GPU_CMD_MOVE_CURSOR, 0, 0, (int)i, 5, 0, 0);
			slowest = MAX(slowest, g_get_monotonic_time() - start);
		}
		g_test_message("slowest flush with a %s display: %" G_GINT64_FORMAT " us",
			mode ? "sleeping" : "hoarding", slowest);
		g_assert_cmpint(slowest, <, wire_ms(500) * 1000);
		consumer_link_mode(desktop->consumer, false, false);
		g_assert_true(desktop_shows(desktop, 0, pixels, WIDTH, HEIGHT));
	}
	guest_backing_free(backing);
	desktop_destroy(desktop);
}

/* Shows the pixels as resource 3 on head 0. The caller frees the backing. */
static struct guest_backing *show_pixels(struct desktop *desktop, const uint32_t *pixels)
{
	struct guest *guest = desktop->guest;
	guest_rect all = { 0, 0, WIDTH, HEIGHT };
	struct guest_backing *backing =
		guest_backing_create(guest, WIDTH * HEIGHT * 4, GUEST_PAGE_SIZE);
	guest_backing_write(backing, 0, pixels, WIDTH * HEIGHT * 4);
	wire_ok(guest_gpu_create_2d(guest, 3, VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, WIDTH, HEIGHT));
	wire_ok(guest_backing_attach(backing, 3));
	wire_ok(guest_gpu_set_scanout(guest, 0, 3, all));
	wire_ok(guest_gpu_transfer_2d(guest, 3, all, 0));
	wire_ok(guest_gpu_flush(guest, 3, all));
	g_assert_true(desktop_shows(desktop, 0, pixels, WIDTH, HEIGHT));
	return backing;
}

/* Draws a dot into resource 3, whose pixels the backing holds. */
static void draw_dot(struct guest *guest, struct guest_backing *backing, uint32_t *pixels,
	guest_rect dot, uint8_t value)
{
	for (uint32_t y = 0; y < dot.height; y++)
		memset(pixels + (dot.y + y) * WIDTH + dot.x, value, dot.width * 4);
	guest_backing_write(backing, 0, pixels, WIDTH * HEIGHT * 4);
	wire_ok(guest_gpu_transfer_2d(guest, 3, dot, (dot.y * WIDTH + dot.x) * 4));
	wire_ok(guest_gpu_flush(guest, 3, dot));
}

/* A still picture costs nothing, and a small change costs a small rectangle. */
static void test_damage(void)
{
	struct desktop *desktop = create(false);
	struct guest *guest = desktop->guest;
	guest_rect dot = { 100, 50, 8, 8 };
	g_autofree uint32_t *pixels = wire_noise(1, WIDTH * HEIGHT);
	struct guest_backing *backing = show_pixels(desktop, pixels);
	uint64_t before = consumer_link_state(desktop->consumer)->heads[0].damaged_pixels;
	draw_dot(guest, backing, pixels, dot, 0x77);
	g_assert_true(desktop_shows(desktop, 0, pixels, WIDTH, HEIGHT));
	uint64_t damaged = consumer_link_state(desktop->consumer)->heads[0].damaged_pixels - before;
	g_test_message("%" G_GUINT64_FORMAT " pixels of damage for 64", damaged);
	g_assert_cmpuint(damaged, <=, 64 * 64);
	guest_backing_free(backing);
	desktop_destroy(desktop);
}

/*
 * What is flushed while display takes nothing comes with the next frame, also when that is more
 * rectangles than a frame has room for.
 */
static void test_gathered_damage(void)
{
	struct desktop *desktop = create(false);
	struct guest *guest = desktop->guest;
	g_autofree uint32_t *pixels = wire_noise(2, WIDTH * HEIGHT);
	struct guest_backing *backing = show_pixels(desktop, pixels);
	for (uint32_t n = 2; n <= 2 * FRAME_RECTS_MAX; n *= 2) {
		consumer_link_mode(desktop->consumer, true, false);
		for (uint32_t i = 0; i < n + FRAME_LOCKED_MAX; i++) {
			guest_rect dot = { i * 37 % (WIDTH - 8), i * 23 % (HEIGHT - 8), 8, 8 };
			draw_dot(guest, backing, pixels, dot, (uint8_t)(n + i));
		}
		consumer_link_mode(desktop->consumer, false, false);
		g_assert_true(desktop_shows(desktop, 0, pixels, WIDTH, HEIGHT));
	}
	guest_backing_free(backing);
	desktop_destroy(desktop);
}

static uint32_t hash_pixels(const uint32_t *pixels, size_t n)
{
	uint32_t hash = 2166136261u;
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ pixels[i]) * 16777619u;
	return hash;
}

/*
 * Polls the consumer until the head's cursor is as wanted; returns false when it is not within 3 s.
 */
static bool cursor_is(
	struct desktop *desktop, unsigned head, bool shown, int32_t x, int32_t y, uint32_t hash)
{
	gint64 end = g_get_monotonic_time() + wire_ms(3000) * 1000;
	const struct consumer_head_state *h;
	do {
		h = &consumer_link_state(desktop->consumer)->heads[head];
		if (!!h->cursor_shown == shown &&
			(!shown ||
				(h->cursor_x == x && h->cursor_y == y && h->cursor_hash == hash)))
			return true;
		g_usleep(2000);
	} while (g_get_monotonic_time() < end);
	g_printerr("# cursor %s at %d,%d hash %08x\n", h->cursor_shown ? "shown" : "hidden",
		h->cursor_x, h->cursor_y, h->cursor_hash);
	return false;
}

static void test_cursor(void)
{
	struct desktop *desktop = create(false);
	struct guest *guest = desktop->guest;
	g_autofree uint32_t *screen = make_noise_resource(guest, 3, 1, WIDTH, HEIGHT);
	g_autofree uint32_t *a = make_noise_resource(guest, 10, 2, 64, 64);
	g_autofree uint32_t *b = make_noise_resource(guest, 11, 3, 64, 64);
	uint32_t hash_a = hash_pixels(a, 64 * 64), hash_b = hash_pixels(b, 64 * 64);
	wire_ok(guest_gpu_set_scanout(guest, 0, 3, (guest_rect){ 0, 0, WIDTH, HEIGHT }));
	guest_gpu_cursor(guest, VIRTIO_GPU_CMD_UPDATE_CURSOR, 0, 10, 30, 40, 5, 6);
	g_assert_true(cursor_is(desktop, 0, true, 30, 40, hash_a));
	const struct consumer_state_answer *state = consumer_link_state(desktop->consumer);
	g_assert_cmpuint(state->heads[0].hot_x, ==, 5);
	g_assert_cmpuint(state->heads[0].hot_y, ==, 6);
	for (int i = 0; i < 50; i++)
		guest_gpu_cursor(guest, VIRTIO_GPU_CMD_MOVE_CURSOR, 0, 10, i * 3, i * 2, 0, 0);
	g_assert_true(cursor_is(desktop, 0, true, 147, 98, hash_a));
	guest_gpu_cursor(guest, VIRTIO_GPU_CMD_UPDATE_CURSOR, 0, 11, 1, 2, 0, 0);
	g_assert_true(cursor_is(desktop, 0, true, 1, 2, hash_b));
	guest_gpu_cursor(guest, VIRTIO_GPU_CMD_UPDATE_CURSOR, 0, 0, 1, 2, 0, 0);
	g_assert_true(cursor_is(desktop, 0, false, 0, 0, 0));
	/* The renderer takes these senseless commands and changes nothing. */
	guest_gpu_cursor(guest, VIRTIO_GPU_CMD_UPDATE_CURSOR, 0, 999, 1, 2, 0, 0);
	guest_gpu_cursor(guest, VIRTIO_GPU_CMD_UPDATE_CURSOR, 0, 3, 1, 2, 0, 0);
	guest_gpu_cursor(guest, VIRTIO_GPU_CMD_MOVE_CURSOR, 4711, 10, 1, 2, 0, 0);
	guest_gpu_cursor(guest, 0x399, 0, 10, 1, 2, 0, 0);
	guest_gpu_cursor(guest, VIRTIO_GPU_CMD_UPDATE_CURSOR, 0, 10, 9, 9, 1, 1);
	g_assert_true(cursor_is(desktop, 0, true, 9, 9, hash_a));
	desktop_destroy(desktop);
}

/* Compares size and refresh rate with the first detailed timing (VESA E-EDID 1.4, 3.10.2). */
#define CURSOR_BYTES (64 * 64 * 4)
/* What is uploaded of it takes some milliseconds. */
#define BUSY_SIDE 1024
#define BUSY_TIMES 8

static struct guest_backing *make_texture(struct guest *guest, uint32_t id, uint32_t side)
{
	struct virtio_gpu_resource_create_3d create = { .resource_id = id,
		.target = VIRGL_TARGET_TEXTURE_2D,
		.format = VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM,
		.bind = VIRGL_BIND_RENDER_TARGET | VIRGL_BIND_SAMPLER_VIEW,
		.width = side,
		.height = side,
		.depth = 1,
		.array_size = 1,
		.flags = VIRTIO_GPU_RESOURCE_FLAG_Y_0_TOP };
	struct guest_backing *backing =
		guest_backing_create(guest, (size_t)side * side * 4, GUEST_PAGE_SIZE);
	wire_ok(guest_gpu_create_3d(guest, &create));
	wire_ok(guest_backing_attach(backing, id));
	wire_ok(guest_gpu_ctx_attach(guest, 1, id));
	return backing;
}

static struct guest_request *upload_fenced(
	struct guest *guest, uint32_t id, uint32_t side, uint64_t fence_id)
{
	struct virtio_gpu_transfer_host_3d transfer = {
		.hdr = { .type = VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D, .ctx_id = 1 },
		.box = { .w = side, .h = side, .d = 1 },
		.resource_id = id,
		.stride = side * 4,
	};
	return guest_gpu_send_fenced(guest, &transfer, sizeof(transfer), fence_id);
}

/*
 * The guest draws the cursor's next shape into a buffer that it has used before, and shows it
 * without waiting, while the control queue is busy.
 */
static void test_cursor_drawn_late(void)
{
	if (wire_skip_undrawn())
		return;
	struct desktop *desktop = create(true);
	struct guest *guest = desktop->guest;
	wire_ok(guest_gpu_ctx_create(guest, 1, "cursor"));
	g_autofree uint32_t *screen = make_noise_resource(guest, 3, 1, WIDTH, HEIGHT);
	wire_ok(guest_gpu_set_scanout(guest, 0, 3, (guest_rect){ 0, 0, WIDTH, HEIGHT }));
	struct guest_backing *busy = make_texture(guest, 20, BUSY_SIDE);
	struct guest_backing *shape = make_texture(guest, 21, 64);
	for (uint32_t i = 0; i < 20; i++) {
		struct guest_request *requests[BUSY_TIMES + 1];
		g_autofree uint32_t *pixels = wire_noise(100 + i, 64 * 64);
		guest_backing_write(shape, 0, pixels, CURSOR_BYTES);
		for (unsigned n = 0; n < BUSY_TIMES; n++)
			requests[n] = upload_fenced(guest, 20, BUSY_SIDE, 1000 + i * 100 + n);
		requests[BUSY_TIMES] = upload_fenced(guest, 21, 64, 1000 + i * 100 + BUSY_TIMES);
		guest_gpu_cursor(guest, VIRTIO_GPU_CMD_UPDATE_CURSOR, 0, 21, 9, (int32_t)i, 1, 1);
		g_assert_true(
			cursor_is(desktop, 0, true, 9, (int32_t)i, hash_pixels(pixels, 64 * 64)));
		for (unsigned n = 0; n <= BUSY_TIMES; n++)
			wire_ok(guest_gpu_finish_fenced(guest, requests[n], 1000 + i * 100 + n));
	}
	guest_backing_free(shape);
	guest_backing_free(busy);
	desktop_destroy(desktop);
}

static void check_edid(struct guest *guest, uint32_t head, uint32_t width, uint32_t height)
{
	static const uint8_t magic[8] = { 0, 255, 255, 255, 255, 255, 255, 0 };
	struct virtio_gpu_resp_edid edid;
	wire_check(guest_gpu_get_edid(guest, head, &edid), VIRTIO_GPU_RESP_OK_EDID);
	g_assert_cmpuint(edid.size, >=, 128);
	g_assert_cmpuint(edid.size % 128, ==, 0);
	g_assert_cmpmem(edid.edid, 8, magic, 8);
	for (uint32_t block = 0; block < edid.size / 128; block++) {
		uint8_t sum = 0;
		for (unsigned i = 0; i < 128; i++)
			sum = (uint8_t)(sum + edid.edid[block * 128 + i]);
		g_assert_cmpuint(sum, ==, 0);
	}
	g_assert_cmpuint(edid.edid[126], ==, edid.size / 128 - 1);
	const uint8_t *t = edid.edid + 54;
	uint32_t pixel_clock = t[0] | t[1] << 8;
	if (pixel_clock == 0) {
		g_test_message("%ux%u has no detailed timing", width, height);
		return;
	}
	g_assert_cmpuint(t[2] | (t[4] & 0xf0) << 4, ==, width);
	g_assert_cmpuint(t[5] | (t[7] & 0xf0) << 4, ==, height);
}

static void test_modes(void)
{
	struct desktop *desktop = create(false);
	struct guest *guest = desktop->guest;
	static const struct {
		uint32_t width, height;
	} sizes[] = { { 1024, 768 }, { 1366, 768 }, { 1921, 1083 }, { 2560, 1440 }, { 800, 600 } };
	struct virtio_gpu_resp_display_info info;
	wire_check(guest_gpu_get_display_info(guest, &info), VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
	g_assert_true(info.pmodes[0].enabled);
	g_assert_cmpuint(info.pmodes[0].r.width, >=, 640);
	check_edid(guest, 0, info.pmodes[0].r.width, info.pmodes[0].r.height);
	for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
		struct frame_head_mode modes[2] = {
			{ 1, 0, 0, sizes[i].width, sizes[i].height, 500, 300, 60000 },
			{ i & 1, sizes[i].width, 0, 1280, 1024, 0, 0, 0 },
		};
		consumer_link_heads(desktop->consumer, modes, 2);
		gint64 end = g_get_monotonic_time() + wire_ms(3000) * 1000;
		do
			guest_gpu_get_display_info(guest, &info);
		while (info.pmodes[0].r.width != sizes[i].width && g_get_monotonic_time() < end);
		g_assert_cmpuint(info.pmodes[0].r.width, ==, sizes[i].width);
		g_assert_cmpuint(info.pmodes[0].r.height, ==, sizes[i].height);
		g_assert_cmpuint(info.pmodes[1].enabled, ==, i & 1);
		check_edid(guest, 0, sizes[i].width, sizes[i].height);
		if (i & 1) {
			g_assert_cmpuint(info.pmodes[1].r.x, ==, sizes[i].width);
			check_edid(guest, 1, 1280, 1024);
		}
	}
	desktop_destroy(desktop);
}

int main(int argc, char **argv)
{
	wire_init(&argc, &argv);
	g_test_add_func("/heads/parts-2d", test_parts_2d);
	g_test_add_func("/heads/parts-3d", test_parts_3d);
	g_test_add_func("/heads/several", test_several);
	g_test_add_func("/heads/sixteen", test_sixteen);
	g_test_add_func("/heads/rate-0", test_rate);
	g_test_add_func("/heads/last-picture", test_last_picture);
	g_test_add_func("/heads/stalled-display", test_stalled_display);
	g_test_add_func("/heads/damage", test_damage);
	g_test_add_func("/heads/gathered-damage", test_gathered_damage);
	g_test_add_func("/heads/cursor", test_cursor);
	g_test_add_func("/heads/cursor-drawn-late", test_cursor_drawn_late);
	g_test_add_func("/heads/modes", test_modes);
	return g_test_run();
}
