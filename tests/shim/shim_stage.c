/* SPDX-License-Identifier: MIT */
#include "tests/shim/shim_stage.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/wire/virgl_encode.h"

#define CONTEXT 5
#define WAIT_MS 5000

static struct shim_control *control;
static char *folder;

static void remove_folder(void)
{
	wire_remove_directory(folder);
	g_free(folder);
}

static void make_control(void)
{
	folder = g_dir_make_tmp("vitrine-shim-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "control", NULL);
	g_autofree char *log = g_build_filename(folder, "log", NULL);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	g_assert_cmpint(ftruncate(fd, sizeof(*control)), ==, 0);
	control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	g_assert_true(control != MAP_FAILED);
	close(fd);
	g_setenv("VITRINE_SHIM_CONTROL", path, TRUE);
	if (!g_getenv("VITRINE_SHIM_LOG"))
		g_setenv("VITRINE_SHIM_LOG", log, TRUE);
}

bool shim_stage_init(int *argc, char ***argv)
{
	if (!g_getenv("VITRINE_SHIM_GPU")) {
		wire_skip_all("needs a GPU to be faked (VITRINE_SHIM_GPU): run it by run-shims");
		return false;
	}
	make_control();
	wire_init(argc, argv);
	atexit(remove_folder);
	return true;
}

void shim_stage_set_faults(const char *faults)
{
	memset(control, 0, sizeof(*control));
	if (faults)
		g_setenv("VITRINE_SHIM_FAULTS", faults, TRUE);
	else
		g_unsetenv("VITRINE_SHIM_FAULTS");
}

volatile struct shim_control *shim_stage_control(void)
{
	return control;
}

struct desktop *shim_stage_create(void)
{
	const struct desktop_options options = { .virgl = true, .shape = GUEST_SHAPE_INDIRECT };
	struct desktop *desktop = desktop_create(&options);
	wire_ok(guest_gpu_ctx_create(desktop->guest, CONTEXT, "stage"));
	return desktop;
}

void shim_stage_add_picture(struct desktop *desktop, uint32_t id, uint32_t width, uint32_t height)
{
	struct virtio_gpu_resource_create_3d create = {
		.resource_id = id,
		.target = VIRGL_TARGET_TEXTURE_2D,
		.format = VIRGL_FORMAT_B8G8R8X8,
		.bind = VIRGL_BIND_RENDER_TARGET,
		.width = width,
		.height = height,
		.depth = 1,
		.array_size = 1,
	};
	wire_ok(guest_gpu_create_3d(desktop->guest, &create));
	wire_ok(guest_gpu_ctx_attach(desktop->guest, CONTEXT, id));
}

void shim_stage_begin_anew(struct desktop *desktop, uint32_t id)
{
	guest_gpu_ctx_destroy(desktop->guest, CONTEXT);
	guest_gpu_ctx_create(desktop->guest, CONTEXT, "stage");
	guest_gpu_ctx_attach(desktop->guest, CONTEXT, id);
}

static bool wait_frame(struct desktop *desktop, uint64_t before, uint32_t width, uint32_t height)
{
	gint64 end = g_get_monotonic_time() + (gint64)wire_ms(WAIT_MS) * 1000;
	do {
		const struct consumer_state_answer *state = consumer_link_state(desktop->consumer);
		const struct consumer_head_state *head = &state->heads[0];
		if (head->frames > before && head->width == width && head->height == height)
			return true;
		g_usleep(1000);
	} while (g_get_monotonic_time() < end);
	return false;
}

bool shim_stage_draw(struct desktop *desktop, uint32_t id, uint32_t width, uint32_t height)
{
	struct guest *guest = desktop->guest;
	guest_rect all = { 0, 0, width, height };
	struct virgl_stream s = { 0 };
	uint64_t before = consumer_link_state(desktop->consumer)->heads[0].frames;
	virgl_create_surface(&s, id, id, VIRGL_FORMAT_B8G8R8X8);
	virgl_set_framebuffer(&s, id);
	virgl_clear(&s, (const float[]){ 0, 0, 1, 1 });
	virgl_destroy(&s, VIRGL_OBJECT_SURFACE, id);
	uint32_t type = guest_gpu_submit(guest, CONTEXT, s.words, virgl_stream_bytes(&s));
	virgl_stream_finish(&s);
	return type == VIRTIO_GPU_RESP_OK_NODATA &&
	       guest_gpu_set_scanout(guest, 0, id, all) == VIRTIO_GPU_RESP_OK_NODATA &&
	       guest_gpu_flush(guest, id, all) == VIRTIO_GPU_RESP_OK_NODATA &&
	       wait_frame(desktop, before, width, height);
}

void shim_stage_take(struct desktop *desktop, enum consumer_dmabufs dmabufs)
{
	struct consumer_takes takes = { .header.type = CONSUMER_TAKES, .dmabufs = dmabufs };
	g_assert_cmpint(link_send(desktop->consumer->fd, &takes, sizeof(takes), NULL, 0), ==, 0);
	/* Once it has answered it has told the renderer. */
	consumer_link_state(desktop->consumer);
}
