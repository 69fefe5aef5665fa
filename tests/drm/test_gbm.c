/* SPDX-License-Identifier: MIT */
/*
 * gbm: tests scanouts in GPU buffers on a real DRM device, in the DRM test VM (see vm) with
 * WIRE_RENDER_NODE. The frame consumer imports what it is given with an EGL of its own, and
 * compares every pixel.
 */
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/drm/drm_test.h"
#include "tests/wire/scene3d.h"
#include "tests/wire/wire.h"

#define WIDTH 320
#define HEIGHT 200
/* These are Gallium's bind flags (p_defines.h). */
#define BIND_RENDER_TARGET (1u << 1)
#define BIND_SAMPLER_VIEW (1u << 3)
#define BIND_SCANOUT (1u << 18)
#define CONTEXT 60

static struct desktop *create(void)
{
	drm_test_reset_counts();
	struct desktop_options options = {
		.virgl = true,
		.layout = GUEST_MEMORY_SPREAD,
		.memory_bytes = 64 << 20,
		.shape = GUEST_SHAPE_INDIRECT,
		.event_idx = true,
	};
	return desktop_create(&options);
}

/* ---- 3D resources with known pixels ---- */

static void create_3d(
	struct guest *guest, uint32_t id, uint32_t format, uint32_t width, uint32_t height)
{
	struct virtio_gpu_resource_create_3d create = {
		.resource_id = id,
		.target = 2, /* a 2D texture */
		.format = format,
		.bind = BIND_RENDER_TARGET | BIND_SAMPLER_VIEW | BIND_SCANOUT,
		.width = width,
		.height = height,
		.depth = 1,
		.array_size = 1,
	};
	wire_ok(guest_gpu_create_3d(guest, &create));
}

static void upload_3d(
	struct guest *guest, uint32_t id, const uint32_t *pixels, uint32_t width, uint32_t height)
{
	struct virtio_gpu_box box = { 0, 0, 0, width, height, 1 };
	struct guest_backing *backing =
		guest_backing_create(guest, width * height * 4, GUEST_PAGE_SIZE);
	guest_backing_write(backing, 0, pixels, width * height * 4);
	wire_ok(guest_backing_attach(backing, id));
	wire_ok(guest_gpu_transfer_3d(
		guest, VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D, 0, id, box, 0, width * 4));
	wire_ok(guest_gpu_detach_backing(guest, id));
	guest_backing_free(backing);
}

static void show(struct guest *guest, uint32_t head, uint32_t id, guest_rect rect)
{
	wire_ok(guest_gpu_set_scanout(guest, head, id, rect));
	wire_ok(guest_gpu_flush(guest, id, rect));
}

static uint32_t *cut(const uint32_t *pixels, uint32_t width, guest_rect part)
{
	uint32_t *copy = g_new(uint32_t, part.width * part.height);
	for (uint32_t y = 0; y < part.height; y++)
		memcpy(copy + y * part.width, pixels + (part.y + y) * width + part.x,
			part.width * 4);
	return copy;
}

static uint32_t dmabufs_taken(struct desktop *desktop)
{
	return consumer_link_state(desktop->consumer)->dmabufs;
}

static void set_takes(struct desktop *desktop, enum consumer_dmabufs dmabufs)
{
	struct consumer_takes takes = { .header.type = CONSUMER_TAKES, .dmabufs = dmabufs };
	g_assert_cmpint(link_send(desktop->consumer->fd, &takes, sizeof(takes), NULL, 0), ==, 0);
}

/* ---- scenes ---- */

/*
 * Returns whether the renderer has the thread that waits for pictures where there are no native
 * fences.
 */
static bool has_waiter(pid_t renderer)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/task", renderer);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	bool found = false;
	for (const char *task; dir && (task = g_dir_read_name(dir));) {
		g_autofree char *file = g_build_filename(path, task, "comm", NULL);
		g_autofree char *name = NULL;
		found |= g_file_get_contents(file, &name, NULL, NULL) &&
			 g_str_equal(g_strstrip(name), "gl-waiter");
	}
	return found;
}

static bool has_native_fences(void)
{
	return g_strcmp0(g_getenv("VITRINE_DRM_VM"), "kms_swrast") != 0;
}

static void check_fences(struct desktop *desktop)
{
	bool native = has_native_fences();
	unsigned said = backend_count_log(desktop->guest->backend, "no native fences here");
	g_assert_cmpuint(said, ==, native ? 0 : 1);
	g_assert_true(has_waiter(desktop_renderer(desktop)) == !native);
	if (!native)
		g_assert_cmpuint(consumer_link_state(desktop->consumer)->fences, ==, 0);
}

static void test_scene(void)
{
	struct desktop *desktop = create();
	guest_rect all = { 0, 0, SCENE3D_WIDTH, SCENE3D_HEIGHT };
	g_autofree uint32_t *expected = g_new(uint32_t, SCENE3D_WIDTH * SCENE3D_HEIGHT);
	for (int y_0_top = 0; y_0_top < 2; y_0_top++) {
		struct scene3d *scene = scene3d_create(desktop->guest, 10, y_0_top);
		for (uint32_t seed = 1; seed <= 10; seed++) {
			wire_ok(scene3d_draw(scene, seed));
			show(desktop->guest, 0, 10, all);
			scene3d_expect(seed, y_0_top, expected);
			g_assert_true(
				desktop_shows(desktop, 0, expected, SCENE3D_WIDTH, SCENE3D_HEIGHT));
		}
		scene3d_destroy(scene, false);
	}
	const struct consumer_state_answer *state = consumer_link_state(desktop->consumer);
	g_test_message("%u dma-bufs, %u fences", state->dmabufs, state->fences);
	g_assert_cmpuint(state->dmabufs, >=, 2);
	check_fences(desktop);
	desktop_destroy(desktop);
}

/* Several heads show parts of one large resource, whose width makes rows need padding. */
static void test_parts(void)
{
	struct desktop *desktop = create();
	struct guest *guest = desktop->guest;
	static const guest_rect parts[] = { { 0, 0, 100, 100 }, { 101, 3, 97, 61 },
		{ 198, 0, 119, 173 }, { 316, 172, 1, 1 } };
	g_autofree uint32_t *pixels = wire_noise(9, 317 * 173);
	create_3d(guest, 5, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, 317, 173);
	upload_3d(guest, 5, pixels, 317, 173);
	for (uint32_t head = 0; head < G_N_ELEMENTS(parts); head++) {
		consumer_link_rate(desktop->consumer, head, 1000000);
		wire_ok(guest_gpu_set_scanout(guest, head, 5, parts[head]));
	}
	wire_ok(guest_gpu_flush(guest, 5, (guest_rect){ 0, 0, 317, 173 }));
	for (uint32_t head = 0; head < G_N_ELEMENTS(parts); head++) {
		g_autofree uint32_t *expected = cut(pixels, 317, parts[head]);
		g_assert_true(desktop_shows(
			desktop, head, expected, parts[head].width, parts[head].height));
	}
	g_assert_cmpuint(dmabufs_taken(desktop), >=, G_N_ELEMENTS(parts));
	desktop_destroy(desktop);
}

/* ---- formats ---- */

static void test_formats(void)
{
	struct desktop *desktop = create();
	guest_rect all = { 0, 0, WIDTH, HEIGHT };
	for (unsigned f = 0; f < DRM_TEST_FORMATS; f++) {
		g_autofree uint32_t *expected = wire_noise(f + 40, WIDTH * HEIGHT);
		g_autofree uint32_t *raw = g_new(uint32_t, WIDTH * HEIGHT);
		for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
			raw[i] = drm_test_formats[f].pack(expected[i] & 0xffffff);
		create_3d(desktop->guest, 7, drm_test_formats[f].virgl_format, WIDTH, HEIGHT);
		upload_3d(desktop->guest, 7, raw, WIDTH, HEIGHT);
		show(desktop->guest, 0, 7, all);
		if (!desktop_shows(desktop, 0, expected, WIDTH, HEIGHT))
			g_error("%s arrives wrong", drm_test_formats[f].name);
		uint32_t fourcc = consumer_link_state(desktop->consumer)->fourcc;
		g_test_message(
			"%s arrives as %.4s", drm_test_formats[f].name, (const char *)&fourcc);
		wire_ok(guest_gpu_unref(desktop->guest, 7));
	}
	desktop_destroy(desktop);
}

/* ---- changes ---- */

/* Small damage in a large picture goes to several buffers in turn; then to the CPU; then back. */
static void test_damage(void)
{
	struct desktop *desktop = create();
	struct guest *guest = desktop->guest;
	g_autofree uint32_t *pixels = wire_noise(3, WIDTH * HEIGHT);
	create_3d(guest, 6, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, WIDTH, HEIGHT);
	upload_3d(guest, 6, pixels, WIDTH, HEIGHT);
	show(guest, 0, 6, (guest_rect){ 0, 0, WIDTH, HEIGHT });
	for (unsigned i = 0; i < 90; i++) {
		guest_rect spot = { i * 37 % (WIDTH - 16), i * 23 % (HEIGHT - 16), 16, 16 };
		if (i % 30 == 29)
			set_takes(desktop, i % 60 == 29 ? CONSUMER_NO_DMABUFS : CONSUMER_DMABUFS);
		for (uint32_t k = 0; k < 256; k++)
			pixels[(spot.y + k / 16) * WIDTH + spot.x + k % 16] =
				0xff000000 | (i * 2654435761u >> 8);
		upload_3d(guest, 6, pixels, WIDTH, HEIGHT);
		wire_ok(guest_gpu_flush(guest, 6, spot));
		if (i % 3 == 0)
			g_assert_true(desktop_shows(desktop, 0, pixels, WIDTH, HEIGHT));
	}
	g_assert_true(desktop_shows(desktop, 0, pixels, WIDTH, HEIGHT));
	desktop_destroy(desktop);
}

static void change_mode(struct desktop *desktop, unsigned i, bool look)
{
	guest_rect all = { 0, 0, 64 + i % 41 * 8, 64 + i % 29 * 4 };
	struct guest *guest = desktop->guest;
	create_3d(guest, 20 + i % 2, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, all.width, all.height);
	if (look) {
		g_autofree uint32_t *pixels = wire_noise(i, all.width * all.height);
		upload_3d(guest, 20 + i % 2, pixels, all.width, all.height);
		show(guest, 0, 20 + i % 2, all);
		g_assert_true(desktop_shows(desktop, 0, pixels, all.width, all.height));
	} else {
		show(guest, 0, 20 + i % 2, all);
	}
	if (i > 0)
		wire_ok(guest_gpu_unref(guest, 20 + (i + 1) % 2));
}

static void turn_off(struct desktop *desktop)
{
	wire_ok(guest_gpu_set_scanout(desktop->guest, 0, 0, (guest_rect){ 0 }));
	drm_test_buffers_left();
	gint64 end = g_get_monotonic_time() + wire_ms(5000) * 1000;
	while (consumer_link_state(desktop->consumer)->buffers > 0 && g_get_monotonic_time() < end)
		g_usleep(10000);
}

static void test_1000_modes(void)
{
	struct desktop *desktop = create();
	pid_t renderer = desktop_renderer(desktop);
	unsigned n = g_getenv("DRM_MODES") ? (unsigned)atoi(g_getenv("DRM_MODES")) : 1000;
	for (unsigned i = 0; i < 40; i++)
		change_mode(desktop, i, i % 10 == 0);
	turn_off(desktop);
	unsigned fds = drm_test_count_fds(renderer);
	uint64_t buffers = drm_test_buffers_left();
	for (unsigned i = 40; i < 40 + n; i++)
		change_mode(desktop, i, i % 50 == 0);
	turn_off(desktop);
	unsigned fds_after = drm_test_wait_fds(renderer, fds);
	g_test_message("%u resolution changes: %u descriptors before, %u after; %" G_GUINT64_FORMAT
		       " of %" G_GUINT64_FORMAT " GBM buffers left, before %" G_GUINT64_FORMAT,
		n, fds, fds_after, drm_test_buffers_left(), drm_test_buffers_made(), buffers);
	g_assert_cmpuint(drm_test_buffers_made(), >=, n);
	g_assert_cmpuint(drm_test_buffers_left(), ==, 0);
	g_assert_cmpuint(fds_after, <=, fds);
	g_assert_cmpuint(consumer_link_state(desktop->consumer)->buffers, ==, 0);
	desktop_destroy(desktop);
}

/* Display leaves and comes back, or changes what it takes, 100 times. */
static void test_100_displays(void)
{
	struct desktop *desktop = create();
	pid_t renderer = desktop_renderer(desktop);
	change_mode(desktop, 0, true);
	unsigned fds = drm_test_count_fds(renderer);
	for (unsigned i = 0; i < 100; i++) {
		g_autofree uint32_t *pixels = wire_noise(0, 64 * 64);
		set_takes(desktop, i % 2 ? CONSUMER_DMABUFS : CONSUMER_NO_DMABUFS);
		if (i % 20 == 10) {
			kill(desktop->consumer->pid, SIGKILL);
			g_assert_true(consumer_link_accept(desktop->consumer));
		}
		if (i % 10 == 9)
			g_assert_true(desktop_shows(desktop, 0, pixels, 64, 64));
	}
	turn_off(desktop);
	unsigned fds_after = drm_test_wait_fds(renderer, fds);
	g_test_message("100 changes: %u descriptors before, %u after; %" G_GUINT64_FORMAT
		       " of %" G_GUINT64_FORMAT " GBM buffers left",
		fds, fds_after, drm_test_buffers_left(), drm_test_buffers_made());
	g_assert_cmpuint(drm_test_buffers_left(), ==, 0);
	g_assert_cmpuint(fds_after, <=, fds);
	desktop_destroy(desktop);
}

/* ---- drivers that fail ---- */

/* The picture stays right under a fault, and the log says the reason once. */
static void test_fault(const void *data)
{
	const char *fault = data;
	g_setenv("GBM_SHIM_FAULT", fault, TRUE);
	struct desktop *desktop = create();
	guest_rect all = { 0, 0, WIDTH, HEIGHT };
	consumer_link_mode(desktop->consumer, true, false);
	if (g_str_equal(fault, "wrong-modifier"))
		set_takes(desktop, CONSUMER_LINEAR_DMABUFS);
	for (uint32_t i = 0; i < 12; i++) {
		g_autofree uint32_t *pixels = wire_noise(70 + i, WIDTH * HEIGHT);
		create_3d(
			desktop->guest, 7 + i % 2, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, WIDTH, HEIGHT);
		upload_3d(desktop->guest, 7 + i % 2, pixels, WIDTH, HEIGHT);
		show(desktop->guest, 0, 7 + i % 2, all);
		if (i > 0)
			wire_ok(guest_gpu_unref(desktop->guest, 7 + (i + 1) % 2));
		if (i == 4) /* three frames are held: like a client that shows the newest, go on
			       with less */
			consumer_link_mode(desktop->consumer, false, false);
		if (i != 2 && i != 3)
			g_assert_true(desktop_shows(desktop, 0, pixels, WIDTH, HEIGHT));
	}
	unsigned said = backend_count_log(desktop->guest->backend, "go through the CPU") +
			backend_count_log(desktop->guest->backend, "no GPU buffers: ");
	g_test_message(
		"%s: %u dma-bufs, fall back said %u times", fault, dmabufs_taken(desktop), said);
	g_assert_cmpuint(said, <=, 1);
	if (!g_str_equal(fault, "none-after-2")) {
		g_assert_cmpuint(said, ==, 1);
		g_assert_cmpuint(dmabufs_taken(desktop), ==, 0);
	}
	desktop_destroy(desktop);
	g_unsetenv("GBM_SHIM_FAULT");
}

/* ---- a GPU that goes away ---- */

/* Makes a node of the test's own for the same device, so that the test can take it away. */
static char *make_node(const char *real)
{
	struct stat st;
	char *path = g_build_filename(g_get_tmp_dir(), "node-XXXXXX", NULL);
	close(g_mkstemp(path));
	g_unlink(path);
	g_assert_cmpint(stat(real, &st), ==, 0);
	g_assert_cmpint(mknod(path, S_IFCHR | 0600, st.st_rdev), ==, 0);
	return path;
}

static void show_noise(struct desktop *desktop, uint32_t id, uint32_t seed)
{
	g_autofree uint32_t *pixels = wire_noise(seed, WIDTH * HEIGHT);
	create_3d(desktop->guest, id, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, WIDTH, HEIGHT);
	upload_3d(desktop->guest, id, pixels, WIDTH, HEIGHT);
	show(desktop->guest, 0, id, (guest_rect){ 0, 0, WIDTH, HEIGHT });
	g_assert_true(desktop_shows(desktop, 0, pixels, WIDTH, HEIGHT));
}

/* The renderer dies, as drivers make it, and the next one finds no GPU. */
static void test_vanish(void)
{
	g_autofree char *real = g_strdup(g_getenv("WIRE_RENDER_NODE"));
	g_autofree char *node = make_node(real);
	g_setenv("WIRE_RENDER_NODE", node, TRUE);
	struct desktop *desktop = create();
	struct backend *backend = desktop->guest->backend;
	show_noise(desktop, 7, 1);
	g_assert_cmpuint(dmabufs_taken(desktop), >, 0);
	g_unlink(node);
	pid_t before = desktop_renderer(desktop);
	kill(before, SIGKILL);
	g_assert_cmpint(
		backend_wait_child(backend, "vitrine-render", before, wire_ms(10000)), >, 0);
	show_noise(desktop, 8, 2);
	show_noise(desktop, 9, 3);
	g_assert_cmpuint(backend_count_log(backend, "with the CPU instead"), ==, 1);
	desktop_destroy(desktop);
	g_setenv("WIRE_RENDER_NODE", real, TRUE);
}

/* ---- */

static void add_fault_tests(void)
{
	static const char *const faults[] = { "none-made", "none-after-2", "no-export",
		"not-a-dmabuf", "wrong-stride", "wrong-modifier" };
	for (unsigned i = 0; i < G_N_ELEMENTS(faults); i++) {
		/*
		 * kms_swrast recognises its own buffer and looks at no stride, so the fault would
		 * not show there.
		 */
		if (!has_native_fences() && g_str_equal(faults[i], "wrong-stride"))
			continue;
		g_autofree char *name = g_strdup_printf("/gbm/fault/%s", faults[i]);
		g_test_add_data_func(name, faults[i], test_fault);
	}
}

void gbm_tests_add(bool waits_only)
{
	g_test_add_func("/gbm/scene", test_scene);
	g_test_add_func("/gbm/parts", test_parts);
	g_test_add_func("/gbm/damage", test_damage);
	g_test_add_func("/gbm/vanish", test_vanish);
	g_test_add_func("/gbm/1000-modes", test_1000_modes);
	if (!waits_only) {
		g_test_add_func("/gbm/formats", test_formats);
		g_test_add_func("/gbm/100-displays", test_100_displays);
		add_fault_tests();
	}
}
