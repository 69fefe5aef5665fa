/* SPDX-License-Identifier: MIT */
/*
 * scenes: compares pictures exact to the pixel: 2D in every format, 3D under every descriptor
 * shape.
 */
#include <string.h>

#include "tests/wire/scene3d.h"
#include "tests/wire/wire.h"

#define WIDTH 203
#define HEIGHT 117

struct combination {
	const struct guest_shape *shape;
	bool event_idx;
	enum guest_memory_layout layout;
};

static const struct combination COMBINATIONS[] = {
	{ &GUEST_SHAPE_DIRECT, false, GUEST_MEMORY_ONE },
	{ &GUEST_SHAPE_DIRECT, true, GUEST_MEMORY_SPREAD },
	{ &GUEST_SHAPE_INDIRECT, false, GUEST_MEMORY_SPREAD },
	{ &GUEST_SHAPE_INDIRECT, true, GUEST_MEMORY_ONE },
	{ &GUEST_SHAPE_PIECES, false, GUEST_MEMORY_ONE },
	{ &GUEST_SHAPE_PIECES, true, GUEST_MEMORY_SPREAD },
	{ &GUEST_SHAPE_INDIRECT_PIECES, false, GUEST_MEMORY_SPREAD },
	{ &GUEST_SHAPE_INDIRECT_PIECES, true, GUEST_MEMORY_SPREAD },
	{ &GUEST_SHAPE_CRUMBS, false, GUEST_MEMORY_SPREAD },
	{ &GUEST_SHAPE_CRUMBS, true, GUEST_MEMORY_ONE },
};

static struct desktop *create(const struct combination *c, bool virgl)
{
	struct desktop_options options = {
		.virgl = virgl,
		.shape = *c->shape,
		.event_idx = c->event_idx,
		.layout = c->layout,
	};
	return desktop_create(&options);
}

/*
 * Draws a whole picture, then a part of it from the middle of the backing, and flushes the whole.
 */
static void draw_2d(struct desktop *desktop, uint32_t id, uint32_t seed)
{
	struct guest *guest = desktop->guest;
	g_autofree uint32_t *pixels = wire_noise(seed, WIDTH * HEIGHT);
	g_autofree uint32_t *other = wire_noise(seed + 1, WIDTH * HEIGHT);
	struct guest_backing *backing =
		guest_backing_create(guest, WIDTH * HEIGHT * 4, GUEST_PAGE_SIZE);
	guest_rect all = { 0, 0, WIDTH, HEIGHT }, part = { 31, 17, 101, 53 };
	wire_ok(guest_gpu_create_2d(guest, id, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, WIDTH, HEIGHT));
	wire_ok(guest_backing_attach(backing, id));
	wire_ok(guest_gpu_set_scanout(guest, 0, id, all));
	guest_backing_write(backing, 0, pixels, WIDTH * HEIGHT * 4);
	wire_ok(guest_gpu_transfer_2d(guest, id, all, 0));
	wire_ok(guest_gpu_flush(guest, id, all));
	g_assert_true(desktop_shows(desktop, 0, pixels, WIDTH, HEIGHT));

	guest_backing_write(backing, 0, other, WIDTH * HEIGHT * 4);
	for (uint32_t y = part.y; y < part.y + part.height; y++)
		memcpy(pixels + y * WIDTH + part.x, other + y * WIDTH + part.x, part.width * 4);
	wire_ok(guest_gpu_transfer_2d(guest, id, part, (part.y * WIDTH + part.x) * 4));
	wire_ok(guest_gpu_flush(guest, id, part));
	g_assert_true(desktop_shows(desktop, 0, pixels, WIDTH, HEIGHT));
	wire_ok(guest_gpu_unref(guest, id));
	guest_backing_free(backing);
}

static void draw_3d(struct desktop *desktop, uint32_t base, bool y_0_top)
{
	struct scene3d *scene = scene3d_create(desktop->guest, base, y_0_top);
	g_autofree uint32_t *expected = g_new(uint32_t, SCENE3D_WIDTH * SCENE3D_HEIGHT);
	guest_rect all = { 0, 0, SCENE3D_WIDTH, SCENE3D_HEIGHT };
	wire_ok(guest_gpu_set_scanout(desktop->guest, 0, base, all));
	for (uint32_t seed = 1; seed <= 2; seed++) {
		wire_ok(scene3d_draw(scene, seed));
		wire_ok(guest_gpu_flush(desktop->guest, base, all));
		scene3d_expect(seed, y_0_top, expected);
		g_assert_true(scene3d_check(scene, seed));
		g_assert_true(desktop_shows(desktop, 0, expected, SCENE3D_WIDTH, SCENE3D_HEIGHT));
	}
	scene3d_destroy(scene, false);
}

static void test_combination(const void *data)
{
	struct desktop *desktop = create(data, true);
	draw_2d(desktop, 100, 7);
	draw_3d(desktop, 10, false);
	draw_3d(desktop, 20, true);
	desktop_destroy(desktop);
}

static void test_2d_only(const void *data)
{
	struct desktop *desktop = create(data, false);
	draw_2d(desktop, 100, 7);
	draw_2d(desktop, 100, 9);
	desktop_destroy(desktop);
}

/*
 * Contexts that come, draw and go between another context's commands change nothing of its picture.
 */
static void test_contexts(void)
{
	struct desktop *desktop = create(&COMBINATIONS[3], true);
	struct guest *guest = desktop->guest;
	struct scene3d *scene = scene3d_create(guest, 10, false), *other = NULL;
	for (uint32_t seed = 0; seed < 8; seed++) {
		wire_ok(scene3d_draw(scene, seed));
		if (seed & 1) {
			scene3d_destroy(other, false);
			other = NULL;
		} else {
			other = scene3d_create(guest, 20, false);
			if (seed & 2)
				wire_ok(scene3d_draw(other, seed + 50));
		}
		g_assert_true(scene3d_check(scene, seed));
		wire_ok(scene3d_draw(scene, seed + 100));
		if (other && (seed & 2))
			g_assert_true(scene3d_check(other, seed + 50));
		g_assert_true(scene3d_check(scene, seed + 100));
		wire_ok(guest_gpu_ctx_create(guest, 90, "nothing"));
		wire_ok(scene3d_draw(scene, seed + 200));
		wire_ok(guest_gpu_ctx_destroy(guest, 90));
		wire_ok(scene3d_draw(scene, seed + 201));
		g_assert_true(scene3d_check(scene, seed + 201));
	}
	scene3d_destroy(scene, false);
	desktop_destroy(desktop);
}

/* Says at which byte each format keeps blue, green and red (virtio 1.2, 5.7.6.8). */
static const struct {
	uint32_t format;
	unsigned blue, green, red;
} FORMATS[] = {
	{ VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, 0, 1, 2 },
	{ VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, 0, 1, 2 },
	{ VIRTIO_GPU_FORMAT_A8R8G8B8_UNORM, 3, 2, 1 },
	{ VIRTIO_GPU_FORMAT_X8R8G8B8_UNORM, 3, 2, 1 },
	{ VIRTIO_GPU_FORMAT_R8G8B8A8_UNORM, 2, 1, 0 },
	{ VIRTIO_GPU_FORMAT_X8B8G8R8_UNORM, 1, 2, 3 },
	{ VIRTIO_GPU_FORMAT_A8B8G8R8_UNORM, 1, 2, 3 },
	{ VIRTIO_GPU_FORMAT_R8G8B8X8_UNORM, 2, 1, 0 },
};

static void test_formats(void)
{
	struct desktop *desktop = create(&COMBINATIONS[1], false);
	struct guest *guest = desktop->guest;
	guest_rect all = { 0, 0, WIDTH, HEIGHT };
	for (unsigned f = 0; f < G_N_ELEMENTS(FORMATS); f++) {
		g_autofree uint32_t *raw = wire_noise(f + 40, WIDTH * HEIGHT);
		g_autofree uint32_t *expected = g_new(uint32_t, WIDTH * HEIGHT);
		const uint8_t *bytes = (const uint8_t *)raw;
		for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
			expected[i] = bytes[i * 4 + FORMATS[f].blue] |
				      bytes[i * 4 + FORMATS[f].green] << 8 |
				      bytes[i * 4 + FORMATS[f].red] << 16;
		/* The entries' odd size makes them end in the middle of a row and of a pixel. */
		struct guest_backing *backing =
			guest_backing_create(guest, WIDTH * HEIGHT * 4, 1001);
		guest_backing_write(backing, 0, raw, WIDTH * HEIGHT * 4);
		wire_ok(guest_gpu_create_2d(guest, 7, FORMATS[f].format, WIDTH, HEIGHT));
		wire_ok(guest_backing_attach(backing, 7));
		wire_ok(guest_gpu_transfer_2d(guest, 7, all, 0));
		wire_ok(guest_gpu_set_scanout(guest, 0, 7, all));
		wire_ok(guest_gpu_flush(guest, 7, all));
		g_assert_true(desktop_shows(desktop, 0, expected, WIDTH, HEIGHT));
		wire_ok(guest_gpu_set_scanout(guest, 0, 0, (guest_rect){ 0 }));
		wire_ok(guest_gpu_unref(guest, 7));
		guest_backing_free(backing);
	}
	desktop_destroy(desktop);
}

static uint32_t show_3d(struct guest *guest, uint32_t format, const void *pixels)
{
	struct virtio_gpu_resource_create_3d create = { .resource_id = 7,
		.target = VIRGL_TARGET_TEXTURE_2D,
		.format = format,
		.bind = VIRGL_BIND_RENDER_TARGET | VIRGL_BIND_SAMPLER_VIEW,
		.width = WIDTH,
		.height = HEIGHT,
		.depth = 1,
		.array_size = 1 };
	struct virtio_gpu_box box = { 0, 0, 0, WIDTH, HEIGHT, 1 };
	guest_rect all = { 0, 0, WIDTH, HEIGHT };
	struct guest_backing *backing =
		guest_backing_create(guest, WIDTH * HEIGHT * 4, GUEST_PAGE_SIZE);
	guest_backing_write(backing, 0, pixels, WIDTH * HEIGHT * 4);
	wire_ok(guest_gpu_create_3d(guest, &create));
	wire_ok(guest_backing_attach(backing, 7));
	wire_ok(guest_gpu_transfer_3d(
		guest, VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D, 0, 7, box, 0, WIDTH * 4));
	uint32_t answer = guest_gpu_set_scanout(guest, 0, 7, all);
	wire_ok(guest_gpu_flush(guest, 7, all));
	wire_ok(guest_gpu_detach_backing(guest, 7));
	guest_backing_free(backing);
	return answer;
}

/* Formats that compositors scan out are shown; one that no screen has is refused by name. */
static void test_formats_3d(void)
{
	struct desktop *desktop = create(&COMBINATIONS[3], true);
	struct guest *guest = desktop->guest;
	g_autofree uint32_t *raw = wire_noise(50, WIDTH * HEIGHT);
	for (unsigned f = 0; f < G_N_ELEMENTS(FORMATS); f++) {
		if (FORMATS[f].green != 1 || FORMATS[f].blue == 1)
			continue;
		g_autofree uint32_t *expected = g_new(uint32_t, WIDTH * HEIGHT);
		const uint8_t *bytes = (const uint8_t *)raw;
		for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
			expected[i] = bytes[i * 4 + FORMATS[f].blue] |
				      bytes[i * 4 + FORMATS[f].green] << 8 |
				      bytes[i * 4 + FORMATS[f].red] << 16;
		wire_ok(show_3d(guest, FORMATS[f].format, raw));
		g_assert_true(desktop_shows(desktop, 0, expected, WIDTH, HEIGHT));
		wire_ok(guest_gpu_unref(guest, 7));
	}
	wire_check(
		show_3d(guest, VIRGL_FORMAT_R32_FLOAT, raw), VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER);
	g_assert_cmpuint(backend_count_log(guest->backend, "format 28 cannot be shown"), ==, 1);
	desktop_destroy(desktop);
}

int main(int argc, char **argv)
{
	wire_init(&argc, &argv);
	for (unsigned i = 0; i < G_N_ELEMENTS(COMBINATIONS); i++) {
		const struct combination *c = &COMBINATIONS[i];
		g_autofree char *both = g_strdup_printf("/scenes/virgl/%s/event-idx-%s",
			c->shape->name, c->event_idx ? "on" : "off");
		g_autofree char *plain = g_strdup_printf(
			"/scenes/2d/%s/event-idx-%s", c->shape->name, c->event_idx ? "on" : "off");
		g_test_add_data_func(both, c, test_combination);
		g_test_add_data_func(plain, c, test_2d_only);
	}
	g_test_add_func("/scenes/contexts", test_contexts);
	g_test_add_func("/scenes/formats", test_formats);
	g_test_add_func("/scenes/formats-3d", test_formats_3d);
	return g_test_run();
}
