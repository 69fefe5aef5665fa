/* SPDX-License-Identifier: MIT */
/*
 * resets: resets the GPU under a desktop, at one submission after the other, on Mesa's real drivers
 * of AMD and Intel (shim.h). A new renderer must be there at once with all that the guest has, and
 * nobody may be blamed but the guilty one, at its second.
 *
 * A sweep resets at few submissions; with RESETS_ALL set at each of the renderer's first 201, and
 * at each of the first 201 behind the guest's coming. The time in which a new renderer is there is
 * compared with what one takes on this machine, now, that replaces a killed one.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/shim/shim_stage.h"
#include "tests/wire/figures.h"
#include "tests/wire/virgl_encode.h"
#include "tests/wire/wire.h"

/* A new renderer answers this soon after the end of the one before. */
#define NEW_RENDERER_MS 300
#define LAST_SUBMISSION 200
/* A reset at LAST_SUBMISSION comes long before this many draws. */
#define DRAWS_MAX 1000
/* A renderer that goes on for so many draws after a reset has not noticed it. */
#define DRAWS_AFTER 30
#define NO_END (-1)
#define ENDED "the GPU was reset; starting another"
#define SIDE 64u
#define DESKTOPS 4

enum { PICTURE = 1, PROGRAM = 10, TARGET = 11, INNOCENT = 20, EVIL = 30, EVIL_TARGET = 31 };

/* Counted from the renderer's first submission, and from its guest's. */
static const unsigned at_start[] = { 0 }, at_guest[] = { 0, LAST_SUBMISSION };

struct gpu {
	const char *chip, *mesa; /* NULL: this machine's */
};

struct scene {
	struct desktop *desktop;
	struct guest *guest;
	struct guest_backing *picture_backing, *target_backing;
	uint32_t *pixels;
	bool reset_before_guest;
	unsigned n_own_submissions; /* of the renderer, before there was a guest */
};

static volatile struct shim_control *control;
static unsigned n_program_guilty; /* of the sweep */
static gint64 longest_us;         /* that a command took: without a renderer nothing is answered */

/* ---- the GPU ---- */

/* The first GPU is only there to begin with: use() says which one it is. */
static bool init(int *argc, char ***argv)
{
	g_setenv("VITRINE_SHIM_GPU", "navi21", TRUE);
	g_setenv("WIRE_RENDER_NODE", "/dev/dri/renderD128", TRUE);
	g_setenv("WIRE_NO_PIXELS", "1", TRUE);
	if (!shim_stage_init(argc, argv))
		return false;
	control = shim_stage_control();
	return true;
}

/* What is started from now on has this GPU, with these failures. */
static void use(const struct gpu *gpu, const char *faults)
{
	shim_stage_set_faults(faults);
	g_setenv("VITRINE_SHIM_GPU", gpu->chip, TRUE);
	if (gpu->mesa)
		g_setenv("VITRINE_SHIM_MESA", gpu->mesa, TRUE);
	else
		g_unsetenv("VITRINE_SHIM_MESA");
}

static unsigned count_resets(void)
{
	return __atomic_load_n(&control->resets, __ATOMIC_ACQUIRE);
}

/* ---- a guest that does not mind what is lost ---- */

static void note_time(gint64 start_us)
{
	longest_us = MAX(longest_us, g_get_monotonic_time() - start_us);
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
		g_assert_cmpuint(count_resets(), >, 0);
}

static void insist_on_context(struct guest *guest, uint32_t id, const char *name)
{
	insist(TIMED(guest_gpu_ctx_create(guest, id, name)), 0);
	if (!guest_gpu_has_context(guest, id))
		insist(TIMED(guest_gpu_ctx_create(guest, id, name)), 0);
	g_assert_true(guest_gpu_has_context(guest, id));
}

static void make_target(struct guest *guest, uint32_t id)
{
	struct virtio_gpu_resource_create_3d create = {
		.resource_id = id,
		.target = 2, /* PIPE_TEXTURE_2D */
		.format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM,
		.bind = 1u << 1 | 1u << 3, /* a render target that is sampled from */
		.width = SIDE,
		.height = SIDE,
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
	size_t bytes = (size_t)SIDE * SIDE * 4;
	guest_rect all = { 0, 0, SIDE, SIDE };
	scene->pixels = wire_noise(7, (size_t)SIDE * SIDE);
	scene->picture_backing = guest_backing_create(guest, bytes, GUEST_PAGE_SIZE);
	guest_backing_write(scene->picture_backing, 0, scene->pixels, bytes);
	for (int i = 0; i < 2; i++) {
		TIMED(guest_gpu_create_2d(
			guest, PICTURE, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, SIDE, SIDE));
		TIMED(guest_backing_attach(scene->picture_backing, PICTURE));
		TIMED(guest_gpu_transfer_2d(guest, PICTURE, all, 0));
		TIMED(guest_gpu_set_scanout(guest, 0, PICTURE, all));
		insist(TIMED(guest_gpu_flush(guest, PICTURE, all)), 0);
	}
}

static struct guest_request *send_draw(struct guest *guest, uint32_t context, uint32_t target)
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

/*
 * Draws once. What a dead renderer had is answered with an error, and what it knew of contexts is
 * said anew.
 */
static uint32_t draw(struct guest *guest, uint32_t context, uint32_t target)
{
	TIMED(guest_gpu_ctx_attach(guest, context, target));
	return TIMED(guest_gpu_finish_fenced(guest, send_draw(guest, context, target), 1));
}

/* ---- a desktop and its renderer ---- */

static struct scene *scene_create(void)
{
	struct desktop_options options = {
		.virgl = true,
		.layout = GUEST_MEMORY_SPREAD,
		.shape = GUEST_SHAPE_INDIRECT,
		.event_idx = true,
		.no_pacing = true,
		.memory_bytes = 64 << 20,
	};
	struct scene *scene = g_new0(struct scene, 1);
	scene->desktop = desktop_create(&options);
	scene->guest = scene->desktop->guest;
	scene->reset_before_guest = count_resets() > 0;
	scene->n_own_submissions = __atomic_load_n(&control->submissions, __ATOMIC_ACQUIRE);
	longest_us = 0;
	make_picture(scene);
	insist_on_context(scene->guest, PROGRAM, "program");
	insist_on_context(scene->guest, INNOCENT, "innocent");
	make_target(scene->guest, TARGET);
	return scene;
}

static void scene_destroy(struct scene *scene)
{
	guest_backing_free(scene->picture_backing);
	desktop_destroy(scene->desktop);
	g_free(scene->pixels);
	g_free(scene);
}

static unsigned count_log(const struct scene *scene, const char *text)
{
	return backend_count_log(scene->guest->backend, text);
}

/* Checks that all is there that the guest has, and that nobody's context was taken away. */
static void check_all_is_there(struct scene *scene)
{
	struct guest *guest = scene->guest;
	g_assert_true(desktop_shows(scene->desktop, 0, scene->pixels, SIDE, SIDE));
	g_assert_true(guest_gpu_has_context(guest, PROGRAM));
	g_assert_true(guest_gpu_has_context(guest, INNOCENT));
	wire_ok(draw(guest, PROGRAM, TARGET));
	wire_check(guest_gpu_create_2d(guest, TARGET, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, 1, 1),
		VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
	g_assert_cmpuint(count_log(scene, "are refused"), ==, 0);
	g_assert_cmpuint(count_log(scene, "; the context is lost"), ==, 0);
	g_assert_cmpuint(count_log(scene, "0 resources lost"), ==,
		count_log(scene, "rebuilt from the ledger"));
}

/* ---- a reset at each submission ---- */

/*
 * One line says of each end who was guilty: whoever had submitted, which its driver also does to
 * make a context ready. Where another process was, it is nobody here.
 */
static void check_blame(const struct scene *scene, bool guilty, unsigned n_ends)
{
	unsigned n_innocent = count_log(scene, "GPU reset: innocent");
	unsigned n_blamed = count_log(scene, "guilty: GPU reset of context");
	unsigned n_program =
		count_log(scene, "guilty: GPU reset of context 10 (program), time 1 of late");
	unsigned n_ready =
		count_log(scene, "guilty: GPU reset of context 20 (innocent), time 1 of late");
	/* An end before READY has no line but that of the end. */
	g_assert_cmpuint(n_innocent + n_blamed, <=, n_ends);
	if (!scene->reset_before_guest)
		g_assert_cmpuint(n_innocent + n_blamed, ==, n_ends);
	g_assert_cmpuint(n_blamed, ==, n_program + n_ready);
	g_assert_true(guilty || n_blamed == 0);
	n_program_guilty += n_program;
}

/* Draws until the renderer has ended by a reset, or has gone on for long after one. */
static void draw_on(struct scene *scene)
{
	unsigned n_after = 0;
	for (unsigned i = 0; i < DRAWS_MAX && n_after < DRAWS_AFTER; i++) {
		draw(scene->guest, PROGRAM, TARGET);
		if (count_log(scene, ENDED) > 0)
			break;
		n_after += count_resets() > 0;
	}
}

/*
 * Returns how long the guest waited for an answer at most, in ms. It is NO_END when the reset came
 * while the renderer started and it had nothing to lose.
 */
static gint64 reset_at(const struct gpu *gpu, const char *kind, unsigned submission)
{
	g_autofree char *faults = g_strdup_printf("%s=%u,once", kind, submission);
	use(gpu, faults);
	struct scene *scene = scene_create();
	draw_on(scene);
	unsigned n_ends = count_log(scene, ENDED);
	g_assert_cmpuint(count_resets(), ==, 1);
	g_assert_cmpuint(n_ends, <=, 1);
	g_assert_true(scene->reset_before_guest || n_ends == 1);
	gint64 took_ms = longest_us / 1000;
	check_blame(scene, strcmp(kind, "reset") == 0, n_ends);
	check_all_is_there(scene);
	scene_destroy(scene);
	return n_ends ? took_ms : NO_END;
}

struct sweep {
	struct gpu gpu;
	const char *kind;
};

static int compare_times(const void *a, const void *b)
{
	gint64 left = *(const gint64 *)a, right = *(const gint64 *)b;
	return (left > right) - (left < right);
}

struct peer {
	unsigned own;  /* submissions of a renderer before its guest comes */
	int killed_ms; /* until a renderer that was killed is replaced and answers */
};

static int measure_killed(struct scene *scene)
{
	longest_us = 0;
	kill(desktop_renderer(scene->desktop), SIGKILL);
	while (longest_us == 0 || count_log(scene, "killed by signal 9") == 0)
		draw(scene->guest, PROGRAM, TARGET);
	return (int)(longest_us / 1000);
}

static struct peer measure_peer(const struct gpu *gpu)
{
	use(gpu, "once");
	struct scene *scene = scene_create();
	struct peer peer = { scene->n_own_submissions, measure_killed(scene) };
	scene_destroy(scene);
	return peer;
}

static void check_times(gint64 *took_ms, unsigned n, unsigned n_before, const struct peer *peer)
{
	qsort(took_ms, n, sizeof(*took_ms), compare_times);
	unsigned n_ends = n - n_before, n_late = 0;
	const gint64 *ends_ms = took_ms + n_before;
	for (unsigned i = 0; i < n_ends; i++)
		n_late += ends_ms[i] > NEW_RENDERER_MS;
	g_test_message(
		"%u resets, %u of a renderer with nothing to lose, %u by the program; longest "
		"wait for an answer: p50 %d ms, p95 %d ms, max %d ms, %u over %d ms; after a "
		"kill: %d ms",
		n, n_before, n_program_guilty, (int)ends_ms[n_ends / 2],
		(int)ends_ms[n_ends * 19 / 20], (int)ends_ms[n_ends - 1], n_late, NEW_RENDERER_MS,
		peer->killed_ms);
	/* Of a few, on a machine that does something else, the fastest says most. */
	gint64 typical_ms = n_ends > 20 ? ends_ms[n_ends / 2] : ends_ms[0];
	int limit_ms = MAX(NEW_RENDERER_MS, 2 * peer->killed_ms);
	g_assert_cmpint(typical_ms, <=, wire_ms(limit_ms));
	g_assert_cmpint(ends_ms[n_ends - 1], <=, wire_ms(10 * limit_ms));
}

static void test_sweep(const void *data)
{
	const struct sweep *sweep = data;
	bool all = g_getenv("RESETS_ALL") != NULL;
	unsigned n_start = all ? LAST_SUBMISSION + 1 : G_N_ELEMENTS(at_start), n_before = 0;
	unsigned n = n_start + (all ? LAST_SUBMISSION + 1 : G_N_ELEMENTS(at_guest));
	struct peer peer = measure_peer(&sweep->gpu);
	gint64 took_ms[2 * LAST_SUBMISSION + 2];
	n_program_guilty = 0;
	for (unsigned i = 0; i < n; i++) {
		unsigned k = i < n_start ? i : i - n_start;
		unsigned number = all ? k : i < n_start ? at_start[k] : at_guest[k];
		if (i >= n_start)
			number += peer.own;
		took_ms[i] = reset_at(&sweep->gpu, sweep->kind, number);
		g_test_message("reset at %u: %d ms", number, (int)took_ms[i]);
		n_before += took_ms[i] == NO_END;
	}
	g_assert_cmpuint(n_before, <=, n_start);
	g_assert_true(strcmp(sweep->kind, "reset") != 0 || n_program_guilty > 0);
	check_times(took_ms, n, n_before, &peer);
}

/* ---- again at once ---- */

/*
 * Each renderer is reset, by somebody else, soon after its guest has begun to draw. Nobody is
 * blamed, and what heads show is there again each time.
 */
static void test_again(const void *data)
{
	enum { AGAIN = 3 };
	const struct gpu *gpu = data;
	use(gpu, "once");
	struct scene *scene = scene_create();
	unsigned own = scene->n_own_submissions;
	scene_destroy(scene);
	g_autofree char *faults = g_strdup_printf("reset-innocent=%u", own + 1);
	use(gpu, faults);
	scene = scene_create();
	for (unsigned i = 0; i < DRAWS_MAX && count_log(scene, ENDED) < AGAIN; i++) {
		draw(scene->guest, PROGRAM, TARGET);
	}
	g_assert_cmpuint(count_log(scene, ENDED), >=, AGAIN);
	check_blame(scene, false, count_log(scene, ENDED));
	g_assert_true(desktop_shows(scene->desktop, 0, scene->pixels, SIDE, SIDE));
	g_assert_true(guest_gpu_has_context(scene->guest, INNOCENT));
	scene_destroy(scene);
}

/* ---- contexts that are not told ---- */

/*
 * Where contexts cannot be told of resets, AMD's driver ends the process. That is no crash of the
 * program that happened to draw.
 */
static void test_untold(const void *data)
{
	use(data, "untold,once");
	struct scene *scene = scene_create();
	wire_ok(draw(scene->guest, PROGRAM, TARGET));
	for (unsigned n = 1; n <= 2; n++) {
		__atomic_store_n(&control->resets_wanted, 1, __ATOMIC_RELEASE);
		for (unsigned i = 0; i < DRAWS_MAX && count_log(scene, ENDED) < n; i++)
			draw(scene->guest, PROGRAM, TARGET);
		g_assert_cmpuint(count_log(scene, ENDED), ==, n);
		g_assert_cmpuint(
			count_log(scene, "GPU reset: the driver does not say whose"), ==, n);
		g_assert_cmpuint(figures_get(scene->desktop, "guest gpu_resets"), ==, n);
		check_all_is_there(scene);
	}
	scene_destroy(scene);
}

/* ---- four desktops on one GPU ---- */

/* Has the program EVIL of the first desktop reset the GPU, while all of them draw. */
static void reset_by_evil(struct scene *scenes[DESKTOPS])
{
	struct guest *guest = scenes[0]->guest;
	for (unsigned i = 0; i < DESKTOPS; i++)
		wire_ok(draw(scenes[i]->guest, PROGRAM, TARGET));
	wire_ok(draw(guest, EVIL, EVIL_TARGET));
	__atomic_store_n(&control->resets_wanted, 1, __ATOMIC_RELEASE);
	draw(guest, EVIL, EVIL_TARGET);
	for (unsigned i = 0; i < DESKTOPS; i++) {
		unsigned n_ends = count_log(scenes[i], ENDED);
		for (unsigned n = 0; n < DRAWS_AFTER && count_log(scenes[i], ENDED) == n_ends; n++)
			draw(scenes[i]->guest, PROGRAM, TARGET);
	}
}

/* One is guilty, and it is refused at its second; the others are shown again, and their like go on.
 */
static void test_four(const void *data)
{
	struct scene *scenes[DESKTOPS];
	use(data, "shared");
	for (unsigned i = 0; i < DESKTOPS; i++)
		scenes[i] = scene_create();
	struct guest *guest = scenes[0]->guest;
	insist_on_context(guest, EVIL, "evil");
	make_target(guest, EVIL_TARGET);
	for (unsigned round = 1; round <= 2; round++) {
		reset_by_evil(scenes);
		g_assert_cmpuint(count_resets(), ==, round);
		for (unsigned i = 0; i < DESKTOPS; i++) {
			g_assert_cmpuint(
				figures_get(scenes[i]->desktop, "guest gpu_resets"), ==, round);
			g_assert_cmpuint(count_log(scenes[i], ENDED), ==, round);
			g_assert_cmpuint(count_log(scenes[i], "GPU reset: innocent"), ==,
				i == 0 ? 0 : round);
		}
		g_assert_true(guest_gpu_has_context(guest, EVIL) == (round == 1));
	}
	g_assert_cmpuint(count_log(scenes[0], "guilty: GPU reset of context 30 (evil), time 2 of "
					      "late; the context is lost; new ones of that name "
					      "are refused for 60 s"),
		==, 1);
	wire_check(guest_gpu_ctx_create(guest, EVIL, "evil"), VIRTIO_GPU_RESP_ERR_UNSPEC);
	g_assert_true(guest_gpu_has_context(guest, PROGRAM));
	for (unsigned i = 1; i < DESKTOPS; i++)
		check_all_is_there(scenes[i]);
	for (unsigned i = 0; i < DESKTOPS; i++)
		scene_destroy(scenes[i]);
}

/* ---- contexts that are gone before the reset is found ---- */

/* A program draws, and is gone while the GPU is still at it, which may have it `reset`. */
static void draw_and_go(struct scene *scene, const char *name, unsigned reset)
{
	struct guest *guest = scene->guest;
	insist_on_context(guest, EVIL, name);
	make_target(guest, EVIL_TARGET);
	wire_ok(draw(guest, EVIL, EVIL_TARGET));
	wire_ok(draw(guest, PROGRAM, TARGET));
	__atomic_store_n(&control->resets_wanted, reset, __ATOMIC_RELEASE);
	guest_gpu_ctx_attach(guest, EVIL, EVIL_TARGET);
	struct guest_request *request = send_draw(guest, EVIL, EVIL_TARGET);
	guest_gpu_ctx_destroy(guest, EVIL);
	guest_gpu_finish_fenced(guest, request, 1);
}

static void await_end(struct scene *scene, unsigned n_before)
{
	for (unsigned n = 0; n < DRAWS_AFTER && count_log(scene, ENDED) == n_before; n++)
		draw(scene->guest, PROGRAM, TARGET);
	g_assert_cmpuint(count_log(scene, ENDED), ==, n_before + 1);
}

struct gone {
	struct gpu gpu;
	const char *faults;
};

/* It is found all the same, and refused at its second. */
static void test_gone(const void *data)
{
	const struct gone *gone = data;
	use(&gone->gpu, gone->faults);
	struct scene *scene = scene_create();
	for (unsigned n = 0; n < 2; n++) {
		draw_and_go(scene, "evil", 1);
		await_end(scene, n);
	}
	g_assert_cmpuint(count_log(scene, "guilty: GPU reset of context 30 (evil)"), ==, 2);
	g_assert_cmpuint(count_log(scene, "time 2 of late; new ones of that name are refused for "
					  "60 s"),
		==, 1);
	wire_check(guest_gpu_ctx_create(scene->guest, EVIL, "evil"), VIRTIO_GPU_RESP_ERR_UNSPEC);
	insist_on_context(scene->guest, EVIL, "another");
	g_assert_true(guest_gpu_has_context(scene->guest, PROGRAM));
	scene_destroy(scene);
}

/* Somebody else's desktop resets the GPU each time: nobody here is to blame for it. */
static void test_gone_innocent(const void *data)
{
	enum { ROUNDS = 8 };
	use(data, "busy=30,shared");
	struct scene *scene = scene_create();
	for (unsigned n = 0; n < ROUNDS; n++) {
		draw_and_go(scene, "innocent too", 0);
		__atomic_add_fetch(&control->resets, 1, __ATOMIC_RELEASE);
		await_end(scene, n);
	}
	g_assert_cmpuint(count_log(scene, "GPU reset: innocent"), ==, ROUNDS);
	insist_on_context(scene->guest, EVIL, "innocent too");
	check_all_is_there(scene);
	scene_destroy(scene);
}

static void add(const char *name, const struct gpu *gpu, const void *data, GTestDataFunc test)
{
	g_autofree char *path =
		g_strdup_printf("/resets/%s/%s/%s", gpu->chip, gpu->mesa ? gpu->mesa : "own", name);
	g_test_add_data_func(path, data, test);
}

int main(int argc, char **argv)
{
	static const struct gpu amd = { "navi21", NULL }, intel = { "tgl", NULL },
				newer_amd = { "navi21", "25.0" };
	static const struct sweep sweeps[] = {
		{ { "navi21", NULL }, "reset-innocent" },
		{ { "navi21", NULL }, "reset" },
		{ { "tgl", NULL }, "reset-innocent" },
		{ { "tgl", NULL }, "reset" },
		{ { "navi21", "25.0" }, "reset" },
		{ { "tgl", "25.0" }, "reset" },
	};
	static const struct gone gone[] = {
		{ { "navi21", NULL }, "busy=30,shared" },
		{ { "navi21", NULL }, "busy=30,late=30,shared" },
		{ { "tgl", NULL }, "busy=30,late=30,shared" },
		{ { "navi21", "25.0" }, "busy=30,late=30,shared" },
	};
	if (!g_getenv("VITRINE_SHIM"))
		return wire_skip_all("VITRINE_SHIM is not set");
	if (!init(&argc, &argv))
		return 0;
	for (unsigned i = 0; i < G_N_ELEMENTS(sweeps); i++)
		add(sweeps[i].kind, &sweeps[i].gpu, &sweeps[i], test_sweep);
	add("again", &intel, &intel, test_again);
	add("untold", &amd, &amd, test_untold);
	add("untold", &newer_amd, &newer_amd, test_untold);
	add("four", &amd, &amd, test_four);
	add("four", &intel, &intel, test_four);
	add("four", &newer_amd, &newer_amd, test_four);
	add("gone", &gone[0].gpu, &gone[0], test_gone);
	for (unsigned i = 1; i < G_N_ELEMENTS(gone); i++)
		add("gone-late", &gone[i].gpu, &gone[i], test_gone);
	add("gone-innocent", &amd, &amd, test_gone_innocent);
	add("gone-innocent", &intel, &intel, test_gone_innocent);
	return g_test_run();
}
