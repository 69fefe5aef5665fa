/* SPDX-License-Identifier: MIT */
/*
 * resets: resets the GPU under a desktop, at one submission after the other, on Mesa's real drivers
 * of AMD and Intel (shim.h). A new renderer must be there at once with all that the guest has, and
 * nobody may be blamed but the guilty one, at its second.
 *
 * A sweep resets at few submissions; with RESETS_ALL set at each of the renderer's first 201, and
 * at each of the first 201 behind the guest's coming. The time in which a new renderer is there is
 * compared with what one takes on this machine, now, that replaces a killed one. RESETS_ALL also
 * has GPUs stand still for longer, before they are reset.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/shim/scene.h"
#include "tests/shim/shim_stage.h"
#include "tests/wire/figures.h"
#include "tests/wire/wire.h"

/* A new renderer answers this soon after the end of the one before. */
#define NEW_RENDERER_MS 300
#define LAST_SUBMISSION 200
/* A reset at LAST_SUBMISSION comes long before this many draws. */
#define DRAWS_MAX 1000
/* A renderer that goes on for so many draws after a reset has not noticed it. */
#define DRAWS_AFTER 30
#define NO_END (-1)
#define DESKTOPS 4

/* Counted from the renderer's first submission, and from its guest's. */
static const unsigned at_start[] = { 0 }, at_guest[] = { 0, LAST_SUBMISSION };

static volatile struct shim_control *control;
static unsigned n_program_guilty; /* of the sweep */

/* ---- a reset at each submission ---- */

/*
 * One line says of each end who was guilty: whoever had submitted, which its driver also does to
 * make a context ready. Where another process was, it is nobody here.
 */
static void check_blame(const struct scene *scene, bool guilty, unsigned n_ends)
{
	unsigned n_innocent = scene_count_log(scene, "GPU reset: innocent");
	unsigned n_blamed = scene_count_log(scene, "guilty: GPU reset of context");
	unsigned n_program =
		scene_count_log(scene, "guilty: GPU reset of context 10 (program), time 1 of late");
	unsigned n_ready = scene_count_log(
		scene, "guilty: GPU reset of context 20 (innocent), time 1 of late");
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
		scene_draw(scene->guest, PROGRAM, TARGET);
		if (scene_count_log(scene, SCENE_ENDED) > 0)
			break;
		n_after += scene_count_resets() > 0;
	}
}

/*
 * Returns how long the guest waited for an answer at most, in ms. It is NO_END when the reset came
 * while the renderer started and it had nothing to lose.
 */
static gint64 reset_at(const struct scene_gpu *gpu, const char *kind, unsigned submission)
{
	g_autofree char *faults = g_strdup_printf("%s=%u,once", kind, submission);
	scene_use(gpu, faults);
	struct scene *scene = scene_create();
	draw_on(scene);
	unsigned n_ends = scene_count_log(scene, SCENE_ENDED);
	g_assert_cmpuint(scene_count_resets(), ==, 1);
	g_assert_cmpuint(n_ends, <=, 1);
	g_assert_true(scene->reset_before_guest || n_ends == 1);
	gint64 took_ms = scene_longest_us / 1000;
	check_blame(scene, strcmp(kind, "reset") == 0, n_ends);
	scene_check_all(scene);
	scene_destroy(scene);
	return n_ends ? took_ms : NO_END;
}

struct sweep {
	struct scene_gpu gpu;
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
	scene_longest_us = 0;
	kill(desktop_renderer(scene->desktop), SIGKILL);
	while (scene_longest_us == 0 || scene_count_log(scene, "killed by signal 9") == 0)
		scene_draw(scene->guest, PROGRAM, TARGET);
	return (int)(scene_longest_us / 1000);
}

static struct peer measure_peer(const struct scene_gpu *gpu)
{
	scene_use(gpu, "once");
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
	const struct scene_gpu *gpu = data;
	scene_use(gpu, "once");
	struct scene *scene = scene_create();
	unsigned own = scene->n_own_submissions;
	scene_destroy(scene);
	g_autofree char *faults = g_strdup_printf("reset-innocent=%u", own + 1);
	scene_use(gpu, faults);
	scene = scene_create();
	for (unsigned i = 0; i < DRAWS_MAX && scene_count_log(scene, SCENE_ENDED) < AGAIN; i++) {
		scene_draw(scene->guest, PROGRAM, TARGET);
	}
	g_assert_cmpuint(scene_count_log(scene, SCENE_ENDED), >=, AGAIN);
	check_blame(scene, false, scene_count_log(scene, SCENE_ENDED));
	g_assert_true(desktop_shows(scene->desktop, 0, scene->pixels, SCENE_SIDE, SCENE_SIDE));
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
	scene_use(data, "untold,once");
	struct scene *scene = scene_create();
	wire_ok(scene_draw(scene->guest, PROGRAM, TARGET));
	for (unsigned n = 1; n <= 2; n++) {
		__atomic_store_n(&control->resets_wanted, 1, __ATOMIC_RELEASE);
		for (unsigned i = 0; i < DRAWS_MAX && scene_count_log(scene, SCENE_ENDED) < n; i++)
			scene_draw(scene->guest, PROGRAM, TARGET);
		g_assert_cmpuint(scene_count_log(scene, SCENE_ENDED), ==, n);
		g_assert_cmpuint(
			scene_count_log(scene, "GPU reset: the driver does not say whose"), ==, n);
		g_assert_cmpuint(figures_get(scene->desktop, "guest gpu_resets"), ==, n);
		scene_check_all(scene);
	}
	scene_destroy(scene);
}

/* ---- four desktops on one GPU ---- */

/* Has the program EVIL of the first desktop reset the GPU, while all of them draw. */
static void reset_by_evil(struct scene *scenes[DESKTOPS])
{
	struct guest *guest = scenes[0]->guest;
	for (unsigned i = 0; i < DESKTOPS; i++)
		wire_ok(scene_draw(scenes[i]->guest, PROGRAM, TARGET));
	wire_ok(scene_draw(guest, EVIL, EVIL_TARGET));
	__atomic_store_n(&control->resets_wanted, 1, __ATOMIC_RELEASE);
	scene_draw(guest, EVIL, EVIL_TARGET);
	for (unsigned i = 0; i < DESKTOPS; i++) {
		unsigned n_ends = scene_count_log(scenes[i], SCENE_ENDED);
		for (unsigned n = 0;
			n < DRAWS_AFTER && scene_count_log(scenes[i], SCENE_ENDED) == n_ends; n++)
			scene_draw(scenes[i]->guest, PROGRAM, TARGET);
	}
}

/* One is guilty, and it is refused at its second; the others are shown again, and their like go on.
 */
static void test_four(const void *data)
{
	struct scene *scenes[DESKTOPS];
	scene_use(data, "shared");
	for (unsigned i = 0; i < DESKTOPS; i++)
		scenes[i] = scene_create();
	struct guest *guest = scenes[0]->guest;
	scene_insist_on_context(guest, EVIL, "evil");
	scene_make_target(guest, EVIL_TARGET);
	for (unsigned round = 1; round <= 2; round++) {
		reset_by_evil(scenes);
		g_assert_cmpuint(scene_count_resets(), ==, round);
		for (unsigned i = 0; i < DESKTOPS; i++) {
			g_assert_cmpuint(
				figures_get(scenes[i]->desktop, "guest gpu_resets"), ==, round);
			g_assert_cmpuint(scene_count_log(scenes[i], SCENE_ENDED), ==, round);
			g_assert_cmpuint(scene_count_log(scenes[i], "GPU reset: innocent"), ==,
				i == 0 ? 0 : round);
		}
		g_assert_true(guest_gpu_has_context(guest, EVIL) == (round == 1));
	}
	g_assert_cmpuint(
		scene_count_log(scenes[0], "guilty: GPU reset of context 30 (evil), time 2 of "
					   "late; the context is lost; new ones of that name "
					   "are refused for 60 s"),
		==, 1);
	wire_check(guest_gpu_ctx_create(guest, EVIL, "evil"), VIRTIO_GPU_RESP_ERR_UNSPEC);
	g_assert_true(guest_gpu_has_context(guest, PROGRAM));
	for (unsigned i = 1; i < DESKTOPS; i++)
		scene_check_all(scenes[i]);
	for (unsigned i = 0; i < DESKTOPS; i++)
		scene_destroy(scenes[i]);
}

/* ---- contexts that are gone before the reset is found ---- */

/* A program draws, and is gone while the GPU is still at it, which may have it `reset`. */
static void draw_and_go(struct scene *scene, const char *name, unsigned reset)
{
	struct guest *guest = scene->guest;
	scene_insist_on_context(guest, EVIL, name);
	scene_make_target(guest, EVIL_TARGET);
	wire_ok(scene_draw(guest, EVIL, EVIL_TARGET));
	wire_ok(scene_draw(guest, PROGRAM, TARGET));
	__atomic_store_n(&control->resets_wanted, reset, __ATOMIC_RELEASE);
	guest_gpu_ctx_attach(guest, EVIL, EVIL_TARGET);
	struct guest_request *request = scene_send(guest, EVIL, EVIL_TARGET);
	guest_gpu_ctx_destroy(guest, EVIL);
	guest_gpu_finish_fenced(guest, request, 1);
}

static void await_end(struct scene *scene, unsigned n_before)
{
	for (unsigned n = 0; n < DRAWS_AFTER && scene_count_log(scene, SCENE_ENDED) == n_before;
		n++)
		scene_draw(scene->guest, PROGRAM, TARGET);
	g_assert_cmpuint(scene_count_log(scene, SCENE_ENDED), ==, n_before + 1);
}

struct gone {
	struct scene_gpu gpu;
	const char *faults;
};

/* It is found all the same, and refused at its second. */
static void test_gone(const void *data)
{
	const struct gone *gone = data;
	scene_use(&gone->gpu, gone->faults);
	struct scene *scene = scene_create();
	for (unsigned n = 0; n < 2; n++) {
		draw_and_go(scene, "evil", 1);
		await_end(scene, n);
	}
	g_assert_cmpuint(scene_count_log(scene, "guilty: GPU reset of context 30 (evil)"), ==, 2);
	g_assert_cmpuint(
		scene_count_log(scene, "time 2 of late; new ones of that name are refused for "
				       "60 s"),
		==, 1);
	wire_check(guest_gpu_ctx_create(scene->guest, EVIL, "evil"), VIRTIO_GPU_RESP_ERR_UNSPEC);
	scene_insist_on_context(scene->guest, EVIL, "another");
	g_assert_true(guest_gpu_has_context(scene->guest, PROGRAM));
	scene_destroy(scene);
}

/* Somebody else's desktop resets the GPU each time: nobody here is to blame for it. */
static void test_gone_innocent(const void *data)
{
	enum { ROUNDS = 8 };
	scene_use(data, "busy=30,shared");
	struct scene *scene = scene_create();
	for (unsigned n = 0; n < ROUNDS; n++) {
		draw_and_go(scene, "innocent too", 0);
		__atomic_add_fetch(&control->resets, 1, __ATOMIC_RELEASE);
		await_end(scene, n);
	}
	g_assert_cmpuint(scene_count_log(scene, "GPU reset: innocent"), ==, ROUNDS);
	scene_insist_on_context(scene->guest, EVIL, "innocent too");
	scene_check_all(scene);
	scene_destroy(scene);
}

/* ---- a GPU that stands still, and is reset ---- */

struct stall {
	const char *name;
	struct scene_gpu gpu;
	unsigned submit_limit_s; /* 0: the default, 10 s */
	unsigned ms;             /* until the kernel resets the GPU */
	bool ends;               /* before the watchdogs would kill who waits for it */
	unsigned rounds;
	bool long_only;
};

/*
 * Has EVIL's program hang the GPU, and both desktops draw on behind it. Returns when each is
 * answered.
 */
static void hang_by_evil(struct scene *scenes[2], const struct stall *stall)
{
	struct guest *guest = scenes[0]->guest;
	for (unsigned i = 0; i < 2; i++) {
		wire_ok(scene_draw(scenes[i]->guest, PROGRAM, TARGET));
		scenes[i]->guest->timeout_ms = (int)stall->ms + wire_ms(20000);
	}
	wire_ok(scene_draw(guest, EVIL, EVIL_TARGET));
	__atomic_store_n(&control->resets_wanted, 1, __ATOMIC_RELEASE);
	gint64 start_us = g_get_monotonic_time();
	struct guest_request *evil = scene_send(guest, EVIL, EVIL_TARGET);
	while (__atomic_load_n(&control->stall_ns, __ATOMIC_ACQUIRE) == 0) {
		g_assert_cmpint(g_get_monotonic_time() - start_us, <, wire_ms(5000) * 1000);
		g_usleep(1000);
	}
	/* Of the innocent desktop it is the only thing that the GPU has not done. */
	struct guest_request *others[2];
	for (unsigned i = 0; i < 2; i++)
		others[i] = scene_send(scenes[i]->guest, PROGRAM, TARGET);
	guest_gpu_finish_fenced(guest, evil, 1);
	for (unsigned i = 0; i < 2; i++)
		guest_gpu_finish_fenced(scenes[i]->guest, others[i], 1);
	gint64 took_ms = (g_get_monotonic_time() - start_us) / 1000;
	g_test_message("answered after %d ms", (int)took_ms);
	unsigned limit_ms = (stall->submit_limit_s ? stall->submit_limit_s : 10) * 1000;
	g_assert_cmpint(took_ms, >=, (int)MIN(stall->ms, limit_ms));
}

static void draw_until_reset(struct scene *scene, unsigned n)
{
	for (unsigned i = 0; i < DRAWS_AFTER && scene_count_log(scene, SCENE_ENDED) < n; i++)
		scene_draw(scene->guest, PROGRAM, TARGET);
	g_assert_cmpuint(scene_count_log(scene, SCENE_ENDED), ==, n);
	g_assert_cmpuint(figures_get(scene->desktop, "guest gpu_resets"), ==, n);
}

static void check_nobody_is_judged(struct scene *scene)
{
	g_assert_cmpuint(scene_count_log(scene, "of late"), ==, 0);
	scene_check_all(scene);
}

/* The kernel was sooner than the watchdogs: no renderer was killed, and the guilty one is known. */
static void check_round(struct scene *scenes[2], unsigned round)
{
	for (unsigned i = 0; i < 2; i++) {
		draw_until_reset(scenes[i], round);
		g_assert_cmpuint(scene_count_log(scenes[i], "killed"), ==, 0);
		g_assert_true(desktop_shows(
			scenes[i]->desktop, 0, scenes[i]->pixels, SCENE_SIDE, SCENE_SIDE));
		wire_ok(scene_draw(scenes[i]->guest, PROGRAM, TARGET));
	}
	g_assert_cmpuint(
		scene_count_log(scenes[0], "guilty: GPU reset of context 30 (evil)"), ==, round);
	g_assert_true(guest_gpu_has_context(scenes[0]->guest, PROGRAM));
	g_assert_true(guest_gpu_has_context(scenes[0]->guest, EVIL) == (round == 1));
	g_assert_cmpuint(scene_count_log(scenes[1], "GPU reset: innocent"), ==, round);
	check_nobody_is_judged(scenes[1]);
}

/*
 * It took too long. Whose work it was nobody knows, so nobody is judged, in either desktop; nor for
 * the reset that comes when the next renderers are there.
 */
static void check_unended(struct scene *scenes[2])
{
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned n = 0; n < DRAWS_AFTER; n++)
			scene_draw(scenes[i]->guest, PROGRAM, TARGET);
		g_assert_cmpuint(scene_count_log(scenes[i],
					 "the GPU stood still: nobody knows whose work it was"),
			==, 1);
		check_nobody_is_judged(scenes[i]);
	}
}

/*
 * Two desktops on one GPU, which stands still by the work of one of them. The innocent one is not
 * to blame, however long that takes, and both are shown again.
 */
static void test_stall(const void *data)
{
	const struct stall *stall = data;
	g_autofree char *faults = g_strdup_printf("shared,stalls,late=%u", stall->ms);
	scene_use(&stall->gpu, faults);
	struct scene *scenes[2];
	for (unsigned i = 0; i < 2; i++)
		scenes[i] = scene_create_limited(stall->submit_limit_s);
	scene_insist_on_context(scenes[0]->guest, EVIL, "evil");
	scene_make_target(scenes[0]->guest, EVIL_TARGET);
	for (unsigned round = 1; round <= stall->rounds; round++) {
		hang_by_evil(scenes, stall);
		if (stall->ends)
			check_round(scenes, round);
		else
			check_unended(scenes);
	}
	for (unsigned i = 0; i < 2; i++)
		scene_destroy(scenes[i]);
}

static void add(const char *name, const struct scene_gpu *gpu, const void *data, GTestDataFunc test)
{
	g_autofree char *path =
		g_strdup_printf("/resets/%s/%s/%s", gpu->chip, gpu->mesa ? gpu->mesa : "own", name);
	g_test_add_data_func(path, data, test);
}

int main(int argc, char **argv)
{
	static const struct scene_gpu amd = { "navi21", NULL }, intel = { "tgl", NULL },
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
	/* The first is over the limit, and within what the kernel has on top. amdgpu takes 10 s. */
	static const struct stall stalls[] = {
		{ "stall", { "navi21", NULL }, 1, 2000, true, 2, false },
		{ "stall", { "tgl", NULL }, 1, 2000, true, 2, true },
		{ "stall", { "navi21", "25.0" }, 1, 2000, true, 2, true },
		{ "stall", { "tgl", "25.0" }, 1, 2000, true, 2, true },
		{ "stall-10-s", { "navi21", NULL }, 0, 11000, true, 2, true },
		{ "stall-unended", { "navi21", NULL }, 1, 8000, false, 1, true },
		{ "stall-unended", { "tgl", NULL }, 1, 8000, false, 1, true },
	};
	if (!g_getenv("VITRINE_SHIM"))
		return wire_skip_all("VITRINE_SHIM is not set");
	if (!scene_init(&argc, &argv))
		return 0;
	control = shim_stage_control();
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
	for (unsigned i = 0; i < G_N_ELEMENTS(stalls); i++) {
		if (!stalls[i].long_only || g_getenv("RESETS_ALL"))
			add(stalls[i].name, &stalls[i].gpu, &stalls[i], test_stall);
	}
	return g_test_run();
}
