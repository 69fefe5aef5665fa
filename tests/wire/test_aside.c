/* SPDX-License-Identifier: MIT */
/*
 * aside: tests pictures that another thread fetches from the GPU, which without one is the CPU.
 * Heads change their size and go while a picture is on its way.
 */
#include <string.h>

#include "tests/wire/wire.h"

/* These are Gallium's bind flags (p_defines.h): render target, sampler view, scanout. */
#define BIND (1u << 1 | 1u << 3 | 1u << 18)
#define HEADS 2
#define SIZES 3
#define ROUNDS 60

static const struct {
	uint32_t width, height;
} sizes[SIZES] = { { 1366, 768 }, { 1280, 800 }, { 1001, 611 } };

static struct desktop *create(void)
{
	struct desktop_options options = {
		.virgl = true, .shape = GUEST_SHAPE_INDIRECT, .event_idx = true, .no_pacing = true
	};
	return desktop_create(&options);
}

/* Returns the pixels of a new 3D resource, which the caller frees. */
static uint32_t *make_resource(struct guest *guest, uint32_t id, uint32_t width, uint32_t height)
{
	uint32_t *pixels = wire_noise(id, (size_t)width * height);
	struct virtio_gpu_box box = { 0, 0, 0, width, height, 1 };
	struct virtio_gpu_resource_create_3d create = { .resource_id = id,
		.target = 2, /* a 2D texture */
		.format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM,
		.bind = BIND,
		.width = width,
		.height = height,
		.depth = 1,
		.array_size = 1 };
	wire_ok(guest_gpu_create_3d(guest, &create));
	struct guest_backing *backing =
		guest_backing_create(guest, width * height * 4, GUEST_PAGE_SIZE);
	guest_backing_write(backing, 0, pixels, width * height * 4);
	wire_ok(guest_backing_attach(backing, id));
	wire_ok(guest_gpu_transfer_3d(
		guest, VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D, 0, id, box, 0, width * 4));
	wire_ok(guest_gpu_detach_backing(guest, id));
	guest_backing_free(backing);
	return pixels;
}

static void show(struct guest *guest, unsigned head, uint32_t id, uint32_t width, uint32_t height)
{
	guest_rect all = { 0, 0, width, height };
	wire_ok(guest_gpu_set_scanout(guest, head, id, all));
	wire_ok(guest_gpu_flush(guest, id, all));
}

static bool has_thread(pid_t pid, const char *name)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/task", pid);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	bool found = false;
	for (const char *task; dir && (task = g_dir_read_name(dir));) {
		g_autofree char *file = g_build_filename(path, task, "comm", NULL);
		g_autofree char *comm = NULL;
		found |= g_file_get_contents(file, &comm, NULL, NULL) &&
			 g_str_equal(g_strstrip(comm), name);
	}
	return found;
}

/* Returns how many pictures in memory the renderer has, which shm_create() has named. */
static unsigned count_pictures(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/fd", pid);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	unsigned n = 0;
	for (const char *name; dir && (name = g_dir_read_name(dir));) {
		g_autofree char *link = g_build_filename(path, name, NULL);
		g_autofree char *target = g_file_read_link(link, NULL);
		n += target && g_str_has_prefix(target, "/memfd:vitrine-frame");
	}
	return n;
}

static unsigned wait_pictures(pid_t pid)
{
	gint64 end = g_get_monotonic_time() + wire_ms(5000) * 1000;
	unsigned n;
	while ((n = count_pictures(pid)) > 0 && g_get_monotonic_time() < end)
		g_usleep(10000);
	return n;
}

/*
 * Each head shows another resource of another size before the last picture can have been fetched;
 * the thread is at one head's while the other's waits. At times a head goes off instead.
 */
static void test_sizes(void)
{
	struct desktop *desktop = create();
	struct guest *guest = desktop->guest;
	pid_t renderer = desktop_renderer(desktop);
	uint32_t *pixels[HEADS][SIZES];
	for (unsigned head = 0; head < HEADS; head++) {
		consumer_link_rate(desktop->consumer, head, 1000000);
		for (unsigned i = 0; i < SIZES; i++)
			pixels[head][i] = make_resource(
				guest, 10 * (head + 1) + i, sizes[i].width, sizes[i].height);
	}
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned i = round % SIZES;
		for (unsigned head = 0; head < HEADS; head++)
			show(guest, head, 10 * (head + 1) + i, sizes[i].width, sizes[i].height);
		if (round % 7 == 3 && round % 20 != 19)
			wire_ok(guest_gpu_set_scanout(guest, round % HEADS, 0, (guest_rect){ 0 }));
		if (round % 20 != 19)
			continue;
		for (unsigned head = 0; head < HEADS; head++)
			g_assert_true(desktop_shows(
				desktop, head, pixels[head][i], sizes[i].width, sizes[i].height));
	}
	g_assert_true(has_thread(renderer, "gl-waiter"));
	for (unsigned head = 0; head < HEADS; head++)
		wire_ok(guest_gpu_set_scanout(guest, head, 0, (guest_rect){ 0 }));
	g_assert_cmpuint(wait_pictures(renderer), ==, 0);
	g_assert_cmpint(desktop_renderer(desktop), ==, renderer);
	for (unsigned head = 0; head < HEADS; head++) {
		for (unsigned i = 0; i < SIZES; i++)
			g_free(pixels[head][i]);
	}
	desktop_destroy(desktop);
}

/* Changes follow each other while pictures are on their way, and the last is seen. */
static void test_changes(void)
{
	struct desktop *desktop = create();
	struct guest *guest = desktop->guest;
	const uint32_t width = sizes[0].width, height = sizes[0].height;
	g_autofree uint32_t *a = make_resource(guest, 10, width, height);
	g_autofree uint32_t *b = make_resource(guest, 11, width, height);
	for (unsigned round = 0; round < 30; round++) {
		bool odd = round % 2;
		show(guest, 0, odd ? 11 : 10, width, height);
		for (unsigned i = 0; i < 5; i++)
			wire_ok(guest_gpu_flush(guest, odd ? 11 : 10,
				(guest_rect){ i * 200, round * 10, 150, 40 }));
		if (round % 10 == 9)
			g_assert_true(desktop_shows(desktop, 0, odd ? b : a, width, height));
	}
	desktop_destroy(desktop);
}

int main(int argc, char **argv)
{
	wire_init(&argc, &argv);
	g_setenv("VITRINE_READBACK", "aside", TRUE);
	g_test_add_func("/aside/sizes", test_sizes);
	g_test_add_func("/aside/changes", test_changes);
	return g_test_run();
}
