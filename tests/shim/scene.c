/* SPDX-License-Identifier: MIT */
#include "tests/shim/scene.h"

#include "tests/shim/shim_stage.h"
#include "tests/wire/virgl_encode.h"

static volatile struct shim_control *control;

gint64 scene_longest_us;

/* ---- the GPU ---- */

/* The first GPU is only there to begin with: scene_use() says which one it is. */
bool scene_init(int *argc, char ***argv)
{
	g_setenv("VITRINE_SHIM_GPU", "navi21", TRUE);
	g_setenv("WIRE_RENDER_NODE", "/dev/dri/renderD128", TRUE);
	g_setenv("WIRE_NO_PIXELS", "1", TRUE);
	if (!shim_stage_init(argc, argv))
		return false;
	control = shim_stage_control();
	return true;
}

void scene_use(const struct scene_gpu *gpu, const char *faults)
{
	shim_stage_set_faults(faults);
	g_setenv("VITRINE_SHIM_GPU", gpu->chip, TRUE);
	if (gpu->mesa)
		g_setenv("VITRINE_SHIM_MESA", gpu->mesa, TRUE);
	else
		g_unsetenv("VITRINE_SHIM_MESA");
}

unsigned scene_count_resets(void)
{
	return __atomic_load_n(&control->resets, __ATOMIC_ACQUIRE);
}

/* ---- a guest that does not mind what is lost ---- */

static void note_time(gint64 start_us)
{
	scene_longest_us = MAX(scene_longest_us, g_get_monotonic_time() - start_us);
}

/* Gives what the call gives, and notes how long it took. */
#define TIMED(call)                                                                                \
	G_GNUC_EXTENSION({                                                                         \
		gint64 timed_start_us = g_get_monotonic_time();                                    \
		uint32_t timed_type = (call);                                                      \
		note_time(timed_start_us);                                                         \
		timed_type;                                                                        \
	})

/* A command that a dead renderer had is answered with an error, and is to be said again. */
static void insist(uint32_t type, uint32_t exists)
{
	if (type != VIRTIO_GPU_RESP_OK_NODATA && type != exists)
		g_assert_cmpuint(scene_count_resets(), >, 0);
}

void scene_insist_on_context(struct guest *guest, uint32_t id, const char *name)
{
	insist(TIMED(guest_gpu_ctx_create(guest, id, name)), 0);
	if (!guest_gpu_has_context(guest, id))
		insist(TIMED(guest_gpu_ctx_create(guest, id, name)), 0);
	g_assert_true(guest_gpu_has_context(guest, id));
}

void scene_make_target(struct guest *guest, uint32_t id)
{
	struct virtio_gpu_resource_create_3d create = {
		.resource_id = id,
		.target = 2, /* PIPE_TEXTURE_2D */
		.format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM,
		.bind = 1u << 1 | 1u << 3, /* a render target that is sampled from */
		.width = SCENE_SIDE,
		.height = SCENE_SIDE,
		.depth = 1,
		.array_size = 1,
	};
	for (int i = 0; i < 2; i++)
		insist(TIMED(guest_gpu_create_3d(guest, &create)),
			VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
}

static void make_picture(struct scene *scene)
{
	struct guest *guest = scene->guest;
	size_t bytes = (size_t)SCENE_SIDE * SCENE_SIDE * 4;
	guest_rect all = { 0, 0, SCENE_SIDE, SCENE_SIDE };
	scene->pixels = wire_noise(7, (size_t)SCENE_SIDE * SCENE_SIDE);
	scene->picture_backing = guest_backing_create(guest, bytes, GUEST_PAGE_SIZE);
	guest_backing_write(scene->picture_backing, 0, scene->pixels, bytes);
	for (int i = 0; i < 2; i++) {
		TIMED(guest_gpu_create_2d(
			guest, PICTURE, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, SCENE_SIDE, SCENE_SIDE));
		TIMED(guest_backing_attach(scene->picture_backing, PICTURE));
		TIMED(guest_gpu_transfer_2d(guest, PICTURE, all, 0));
		TIMED(guest_gpu_set_scanout(guest, 0, PICTURE, all));
		insist(TIMED(guest_gpu_flush(guest, PICTURE, all)), 0);
	}
}

struct guest_request *scene_send(struct guest *guest, uint32_t context, uint32_t target)
{
	static unsigned n_draws;
	/* A driver leaves out what changes nothing. */
	const float color[4] = { (float)(n_draws++ % 200) / 200, 0, 0, 1 };
	struct virgl_stream s = { 0 };
	size_t bytes;
	virgl_create_surface(&s, 1, target, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM);
	virgl_set_framebuffer(&s, 1);
	virgl_clear(&s, color);
	virgl_destroy(&s, VIRGL_OBJECT_SURFACE, 1);
	g_autofree void *submit =
		guest_gpu_make_submit(context, s.words, virgl_stream_bytes(&s), &bytes);
	virgl_stream_finish(&s);
	return guest_gpu_send_fenced(guest, submit, bytes, 1);
}

uint32_t scene_draw(struct guest *guest, uint32_t context, uint32_t target)
{
	TIMED(guest_gpu_ctx_attach(guest, context, target));
	return TIMED(guest_gpu_finish_fenced(guest, scene_send(guest, context, target), 1));
}

/* ---- a desktop and its renderer ---- */

struct scene *scene_create(void)
{
	return scene_create_limited(0);
}

struct scene *scene_create_limited(unsigned submit_limit_s)
{
	struct desktop_options options = {
		.virgl = true,
		.layout = GUEST_MEMORY_SPREAD,
		.shape = GUEST_SHAPE_INDIRECT,
		.event_idx = true,
		.no_pacing = true,
		.submit_limit_s = submit_limit_s,
		.memory_bytes = 64 << 20,
	};
	struct scene *scene = g_new0(struct scene, 1);
	scene->desktop = desktop_create(&options);
	scene->guest = scene->desktop->guest;
	scene->reset_before_guest = scene_count_resets() > 0;
	scene->n_own_submissions = __atomic_load_n(&control->submissions, __ATOMIC_ACQUIRE);
	scene_longest_us = 0;
	make_picture(scene);
	scene_insist_on_context(scene->guest, PROGRAM, "program");
	scene_insist_on_context(scene->guest, INNOCENT, "innocent");
	scene_make_target(scene->guest, TARGET);
	return scene;
}

void scene_destroy(struct scene *scene)
{
	guest_backing_free(scene->picture_backing);
	desktop_destroy(scene->desktop);
	g_free(scene->pixels);
	g_free(scene);
}

unsigned scene_count_log(const struct scene *scene, const char *text)
{
	return backend_count_log(scene->guest->backend, text);
}

void scene_check_all(struct scene *scene)
{
	struct guest *guest = scene->guest;
	g_assert_true(desktop_shows(scene->desktop, 0, scene->pixels, SCENE_SIDE, SCENE_SIDE));
	g_assert_true(guest_gpu_has_context(guest, PROGRAM));
	g_assert_true(guest_gpu_has_context(guest, INNOCENT));
	wire_ok(scene_draw(guest, PROGRAM, TARGET));
	wire_check(guest_gpu_create_2d(guest, TARGET, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, 1, 1),
		VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
	g_assert_cmpuint(scene_count_log(scene, "are refused"), ==, 0);
	g_assert_cmpuint(scene_count_log(scene, "; the context is lost"), ==, 0);
	g_assert_cmpuint(scene_count_log(scene, "0 resources lost"), ==,
		scene_count_log(scene, "rebuilt from the ledger"));
}
