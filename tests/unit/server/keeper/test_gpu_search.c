/* SPDX-License-Identifier: MIT */
/*
 * gpu_search: checks which GPU is tried next, and that a keeper whose GPUs are unfit, crash or hang
 * has a renderer all the same, soon, and says why.
 */
#include "server/keeper/gpu_search.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "server/keeper/device.h"
#include "server/keeper/limits.h"
#include "tests/unit/server/rig.h"

/* ---- decisions ---- */

static void begin(struct gpu_search *search, bool named, unsigned n_nodes)
{
	static struct gpu_candidates candidates;
	candidates = (struct gpu_candidates){ .named = named, .n = n_nodes + 1 };
	for (unsigned i = 0; i < n_nodes; i++)
		candidates.nodes[i] = (char *)(i ? "/dev/dri/renderD129" : "/dev/dri/renderD128");
	gpu_search_init(search, &candidates);
}

static void test_first_start(void)
{
	struct gpu_search search;
	const struct desktop desktop = { .virgl = true };
	begin(&search, false, 2);
	g_assert_cmpuint(gpu_search_step_ms(&search), ==, GPU_STEP_TIMEOUT_MS);
	g_assert_cmpint(gpu_search_fail(&search, "is old", false), ==, GPU_SEARCH_NEXT);
	g_assert_cmpuint(search.current, ==, 1);
	g_assert_cmpint(gpu_search_fail(&search, "hangs", true), ==, GPU_SEARCH_NEXT);
	g_assert_cmpuint(search.current, ==, 2);
	/* The CPU has no deadline of its own, since nothing comes behind it. */
	g_assert_cmpuint(gpu_search_step_ms(&search), ==, 0);
	gpu_search_succeed(&search, "software");
	g_autofree char *text = gpu_search_describe(&search, &desktop);
	g_assert_cmpstr(
		text, ==, "no GPU works; /dev/dri/renderD128: is old; /dev/dri/renderD129: hangs");
	g_assert_cmpstr(search.chosen, ==, "software");
}

static void test_nothing_works(void)
{
	struct gpu_search search;
	begin(&search, false, 1);
	g_assert_cmpint(gpu_search_fail(&search, "is old", false), ==, GPU_SEARCH_NEXT);
	g_assert_cmpint(gpu_search_fail(&search, "no llvmpipe", false), ==, GPU_SEARCH_OVER);
}

/* One that is named is not replaced by software without anybody's wish. */
static void test_named(void)
{
	struct gpu_search search;
	const struct desktop desktop = { .virgl = true, .render_node = (char *)"named" };
	begin(&search, true, 1);
	g_assert_cmpuint(gpu_search_step_ms(&search), ==, 0);
	g_assert_cmpint(gpu_search_fail(&search, "is old", false), ==, GPU_SEARCH_OVER);
	begin(&search, true, 1);
	gpu_search_succeed(&search, "a GPU");
	g_autofree char *text = gpu_search_describe(&search, &desktop);
	g_assert_cmpstr(text, ==, "as --render-node asks for");
	for (unsigned i = 1; i < GPU_SEARCH_TRIES; i++)
		g_assert_cmpint(gpu_search_fail(&search, "gone", false), ==, GPU_SEARCH_AGAIN);
	g_assert_cmpint(gpu_search_fail(&search, "gone", false), ==, GPU_SEARCH_NEXT);
	gpu_search_succeed(&search, "software");
	g_autofree char *later = gpu_search_describe(&search, &desktop);
	g_assert_cmpstr(later, ==, "no GPU works; /dev/dri/renderD128: gone");
}

/* A GPU that worked has some tries, and what has failed is not tried again while the guest lives.
 */
static void test_later(void)
{
	struct gpu_search search;
	begin(&search, false, 2);
	gpu_search_succeed(&search, "a GPU");
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 1; i < GPU_SEARCH_TRIES; i++)
			g_assert_cmpint(
				gpu_search_fail(&search, "reset", false), ==, GPU_SEARCH_AGAIN);
		gpu_search_succeed(&search, "a GPU");
	}
	g_assert_cmpint(gpu_search_fail(&search, "hangs", true), ==, GPU_SEARCH_NEXT);
	/* The next one has never drawn. */
	g_assert_cmpint(gpu_search_fail(&search, "is old", false), ==, GPU_SEARCH_NEXT);
	for (unsigned i = 0; i < 30; i++)
		g_assert_cmpint(gpu_search_fail(&search, "no memory", i % 2), ==, GPU_SEARCH_AGAIN);
	g_assert_cmpuint(search.current, ==, 2);
}

/* A GPU that is being reset holds up whoever begins for seconds. */
static void test_patience(void)
{
	struct gpu_search search;
	for (unsigned named = 0; named < 2; named++) {
		begin(&search, named, 1);
		gpu_search_succeed(&search, "a GPU");
		g_assert_cmpuint(gpu_search_step_ms(&search), ==, GPU_STEP_AGAIN_MS);
		g_assert_cmpuint(GPU_STEP_AGAIN_MS, >=, 10 * 1000);
		gpu_search_fail(&search, "resets", false);
		g_assert_cmpuint(gpu_search_step_ms(&search), ==, GPU_STEP_AGAIN_MS);
	}
}

#define S UINT64_C(1000000000)

/* A GPU that was given up has one try for each new guest, but not too often. */
static void test_back(void)
{
	struct gpu_search search;
	const struct desktop desktop = { .virgl = true };
	uint64_t now_ns = 1000 * S;
	begin(&search, false, 2);
	g_assert_cmpint(gpu_search_fail(&search, "is old", false), ==, GPU_SEARCH_NEXT);
	gpu_search_succeed(&search, "a GPU");
	g_assert_false(gpu_search_go_back(&search, now_ns));
	g_assert_cmpint(gpu_search_fail(&search, "hangs", true), ==, GPU_SEARCH_NEXT);
	gpu_search_succeed(&search, "software");
	g_assert_true(gpu_search_go_back(&search, now_ns));
	g_assert_cmpuint(search.current, ==, 1);
	g_assert_cmpuint(gpu_search_step_ms(&search), ==, GPU_STEP_TIMEOUT_MS);
	g_assert_cmpint(gpu_search_fail(&search, "still hangs", true), ==, GPU_SEARCH_NEXT);
	gpu_search_succeed(&search, "software");
	g_autofree char *failed = gpu_search_describe(&search, &desktop);
	g_assert_cmpstr(failed, ==,
		"no GPU works; /dev/dri/renderD128: is old; /dev/dri/renderD129: still hangs");
	g_assert_false(gpu_search_go_back(&search, now_ns + (GPU_SEARCH_BACK_S - 1) * S));
	g_assert_true(gpu_search_go_back(&search, now_ns + GPU_SEARCH_BACK_S * S));
	gpu_search_succeed(&search, "a GPU");
	g_autofree char *works = gpu_search_describe(&search, &desktop);
	g_assert_cmpstr(works, ==, "the first GPU that works; /dev/dri/renderD128: is old");
	g_assert_false(gpu_search_go_back(&search, now_ns + 1000 * S));
	/* What has never drawn is not tried again. */
	begin(&search, false, 1);
	gpu_search_fail(&search, "is old", false);
	gpu_search_succeed(&search, "software");
	g_assert_false(gpu_search_go_back(&search, now_ns));
}

static void test_long_texts(void)
{
	struct gpu_search search;
	g_autofree char *why = g_strnfill(2 * GPU_SEARCH_WHY_BYTES, 'x');
	begin(&search, false, 2);
	gpu_search_fail(&search, why, false);
	gpu_search_fail(&search, why, false);
	gpu_search_succeed(&search, why);
	g_assert_cmpuint(strlen(search.failures), ==, GPU_SEARCH_WHY_BYTES - 1);
	g_assert_cmpuint(strlen(search.chosen), ==, GPU_SEARCH_TEXT_BYTES - 1);
}

/* ---- a keeper ---- */

struct machine {
	char *nodes;
	struct rig *rig;
	gint64 begin_us;
};

/* `gpus` are words of the fake worker. */
static void power_on(struct machine *m, const char *gpus, const char *option)
{
	m->nodes = g_dir_make_tmp("vitrine-nodes-XXXXXX", NULL);
	g_auto(GStrv) words = g_strsplit(gpus, " ", -1);
	const char *const arguments[] = { "--virgl", option, NULL };
	for (unsigned i = 0; words[i]; i++) {
		g_autofree char *name = g_strndup(words[i], strcspn(words[i], "="));
		g_autofree char *path = g_build_filename(m->nodes, name, NULL);
		g_assert_true(g_file_set_contents(path, "", 0, NULL));
	}
	g_setenv("VITRINE_NODES_DIR", m->nodes, TRUE);
	g_setenv("FAKE_WORKER_GPUS", gpus, TRUE);
	m->begin_us = g_get_monotonic_time();
	m->rig = rig_create(arguments);
}

/* Serves QEMU, which is served only once there is a renderer, and gives the milliseconds until
 * then. */
static int64_t wait_served(const struct machine *m)
{
	rig_wait_log(m->rig, "render", 1);
	while (rig_count_log(m->rig, "LEDGER") == 0)
		g_usleep(5000);
	rig_negotiate(m->rig);
	g_assert_true(rig_get_u64(m->rig, VHOST_USER_GET_FEATURES) & DEVICE_F_VIRGL);
	return (g_get_monotonic_time() - m->begin_us) / 1000;
}

static void expect_line(const struct machine *m, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void expect_line(const struct machine *m, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_autofree char *errors = rig_errors(m->rig);
	if (!strstr(errors, text))
		g_error("no line \"%s\" in: %s", text, errors);
}

static void power_off(struct machine *m, bool by_qemu)
{
	g_autoptr(GDir) dir = g_dir_open(m->nodes, 0, NULL);
	for (const char *name; (name = g_dir_read_name(dir));) {
		g_autofree char *path = g_build_filename(m->nodes, name, NULL);
		g_unlink(path);
	}
	g_rmdir(m->nodes);
	if (by_qemu)
		rig_destroy(m->rig);
	else
		rig_free(m->rig);
	g_unsetenv("VITRINE_NODES_DIR");
	g_unsetenv("FAKE_WORKER_GPUS");
	g_free(m->nodes);
}

/* The first that works is taken, with no process but its own, and display is told which. */
static void test_works(void)
{
	struct machine m;
	power_on(&m, "renderD128=works renderD129=works", NULL);
	wait_served(&m);
	g_assert_cmpuint(rig_count_log(m.rig, "NODE"), ==, 2);
	g_assert_cmpuint(rig_count_log(m.rig, "renderD128"), ==, 2);
	power_off(&m, true);
}

static void test_next(void)
{
	struct machine m;
	power_on(&m, "renderD128=unfit renderD129=crashes renderD130=works", NULL);
	wait_served(&m);
	expect_line(&m, "%s/renderD128: it is too ? old: trying %s/renderD129 instead\n", m.nodes,
		m.nodes);
	expect_line(&m,
		"%s/renderD129: starting OpenGL ended the renderer: killed by signal 6 (Aborted): "
		"trying %s/renderD130 instead\n",
		m.nodes, m.nodes);
	rig_wait_log(m.rig, "PASSWORDS", 1);
	/* Whatever came to READY before, the display that is there has the GPU of its renderer. */
	g_autofree char *log = NULL, *last = g_strdup_printf("NODE %s/renderD130\n", m.nodes);
	g_assert_true(g_file_get_contents(m.rig->worker_log, &log, NULL, NULL));
	g_assert_nonnull(strstr(log, last));
	power_off(&m, true);
}

/* What it has said of its GPU is no reason for its end, nor is what another process said. */
static void test_falls(void)
{
	struct machine m;
	power_on(&m, "renderD128=falls renderD129=unfit renderD130=crashes", NULL);
	wait_served(&m);
	expect_line(&m,
		"%s/renderD128: starting OpenGL ended the renderer: killed by signal 6 (Aborted): "
		"trying",
		m.nodes);
	expect_line(&m, "%s/renderD129: it is too ? old: trying", m.nodes);
	expect_line(&m,
		"%s/renderD130: starting OpenGL ended the renderer: killed by signal 6 (Aborted): "
		"drawing with the CPU instead",
		m.nodes);
	power_off(&m, true);
}

/* The whole of it for a card whose driver hangs: within 5 seconds, of which most are the waiting.
 */
static void test_hangs(void)
{
	struct machine m;
	power_on(&m, "renderD128=hangs", NULL);
	int64_t ms = wait_served(&m);
	expect_line(&m,
		"%s/renderD128: its driver hangs: starting OpenGL takes more than 3 s: drawing "
		"with the CPU instead\n",
		m.nodes);
	g_test_message("%d ms", (int)ms);
	g_assert_cmpint(ms, >=, GPU_STEP_TIMEOUT_MS);
	g_assert_cmpint(ms, <, 5000);
	power_off(&m, true);
}

/* A driver that takes its time goes on while its steps follow each other. */
static void test_slow(void)
{
	struct machine m;
	power_on(&m, "renderD128=slow", NULL);
	int64_t ms = wait_served(&m);
	g_assert_cmpint(ms, >=, GPU_STEP_TIMEOUT_MS);
	g_assert_cmpuint(rig_count_log(m.rig, "NODE none"), ==, 0);
	power_off(&m, true);
}

static void test_eight(void)
{
	struct machine m;
	power_on(&m,
		"renderD128=crashes renderD129=unfit renderD130=works renderD131=works "
		"renderD132=works renderD133=works renderD134=works renderD135=works",
		NULL);
	wait_served(&m);
	expect_line(&m, "trying %s/renderD130 instead\n", m.nodes);
	g_assert_cmpuint(rig_count_log(m.rig, "renderD131"), ==, 0);
	power_off(&m, true);
}

/* It ends with a line that names the node, and nothing else is tried. */
static void test_named_fails(void)
{
	struct machine m;
	power_on(&m, "renderD128=crashes renderD129=works", "--render-node=/x/renderD128");
	int status = rig_wait_end(m.rig);
	g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	expect_line(&m, "/x/renderD128: starting OpenGL ended the renderer: killed by signal 6 "
			"(Aborted): it "
			"was named, so nothing else is tried\n");
	g_assert_cmpuint(rig_count_log(m.rig, "NODE none"), ==, 0);
	power_off(&m, false);
}

/*
 * A GPU that goes away later is tried again for as long as a reset may take, and then the CPU
 * draws, until the guest begins anew.
 */
static void test_vanishes(void)
{
	struct machine m;
	power_on(&m, "renderD128=works", NULL);
	wait_served(&m);
	rig_start(m.rig, 0, 0);
	rig_wait_log(m.rig, "START", 2);
	g_autofree char *fail = g_strconcat(m.rig->worker_log, ".fail", NULL);
	g_assert_true(g_file_set_contents(fail, "", 0, NULL));
	gint64 begin_us = g_get_monotonic_time();
	g_assert_cmpint(kill(rig_renderer(m.rig), SIGKILL), ==, 0);
	rig_wait_log(m.rig, "FAILS", GPU_SEARCH_TRIES);
	g_unlink(fail);
	g_assert_cmpint(g_get_monotonic_time() - begin_us, >=, 6 * G_USEC_PER_SEC);
	rig_wait_log(m.rig, "LEDGER", 2);
	g_assert_cmpint(kill(rig_renderer(m.rig), SIGKILL), ==, 0);
	rig_wait_log(m.rig, "LEDGER", 3);
	g_assert_cmpuint(rig_count_log(m.rig, "NODE none"), ==, 2);
	expect_line(&m, "drawing with the CPU instead\n");
	rig_send(m.rig, VHOST_USER_RESET_DEVICE, 0, NULL, 0, NULL, 0);
	rig_wait_log(m.rig, "LEDGER", 4);
	g_assert_cmpuint(rig_count_log(m.rig, "NODE none"), ==, 2);
	expect_line(&m, "renderD128: tried again, for a guest that begins anew\n");
	power_off(&m, true);
}

/* ---- a GPU that stands still ---- */

/* Gives after how many milliseconds of standing still the renderer is another one. */
static int64_t stall(const struct machine *m)
{
	pid_t renderer = rig_renderer(m->rig);
	unsigned n = rig_count_log(m->rig, "LEDGER");
	g_assert_cmpint(kill(renderer, SIGUSR2), ==, 0);
	int64_t begin_us = g_get_monotonic_time();
	rig_wait_log(m->rig, "LEDGER", n + 1);
	g_assert_cmpint(rig_renderer(m->rig), !=, renderer);
	return (g_get_monotonic_time() - begin_us) / 1000;
}

/*
 * Work that a GPU does not end may be another desktop's. So the kernel has time to find whose it
 * is, and the context that waits is not blamed.
 */
static void test_stalled_gpu(void)
{
	struct machine m;
	power_on(&m, "renderD128=works", "--submit-limit=1");
	wait_served(&m);
	int64_t ms = stall(&m);
	g_assert_cmpint(ms, >=, 1000 + GPU_RESET_GRACE_MS);
	g_assert_cmpint(ms, <, 1000 + GPU_RESET_GRACE_MS + 2000);
	expect_line(&m, "GPU has been at work of the GPU of context 10 for 6.0 s: killed\n");
	expect_line(&m, "the GPU stood still: nobody knows whose work it was\n");
	g_autofree char *errors = rig_errors(m.rig);
	g_assert_null(strstr(errors, "lost"));
	g_assert_null(strstr(errors, "hung"));
	power_off(&m, true);
}

/* What a guest that is gone had given the GPU is not counted for the next one. */
static void test_stalled_reload(void)
{
	struct machine m;
	power_on(&m, "renderD128=works", NULL);
	wait_served(&m);
	rig_start(m.rig, 0, 0);
	rig_wait_log(m.rig, "START", 2);
	g_assert_cmpint(kill(rig_renderer(m.rig), SIGUSR2), ==, 0);
	g_usleep(100000);
	rig_send(m.rig, VHOST_USER_RESET_DEVICE, 0, NULL, 0, NULL, 0);
	rig_wait_log(m.rig, "LEDGER", 2);
	expect_line(&m, "GPU has been at work of the GPU of context 10 for 1.");
	g_autofree char *errors = rig_errors(m.rig);
	g_assert_null(strstr(errors, "stood still"));
	power_off(&m, true);
}

/* The CPU works for this desktop alone. */
static void test_stalled_cpu(void)
{
	struct machine m;
	power_on(&m, "renderD128=unfit", "--submit-limit=1");
	wait_served(&m);
	g_assert_cmpint(stall(&m), <, 1000 + 2000);
	expect_line(&m,
		"the renderer hung in work of the GPU of context 10, time 1 of late; the context "
		"is lost\n");
	power_off(&m, true);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/gpu-search/first-start", test_first_start);
	g_test_add_func("/gpu-search/nothing-works", test_nothing_works);
	g_test_add_func("/gpu-search/named", test_named);
	g_test_add_func("/gpu-search/later", test_later);
	g_test_add_func("/gpu-search/patience", test_patience);
	g_test_add_func("/gpu-search/back", test_back);
	g_test_add_func("/gpu-search/long-texts", test_long_texts);
	g_test_add_func("/gpu-search/keeper/works", test_works);
	g_test_add_func("/gpu-search/keeper/next", test_next);
	g_test_add_func("/gpu-search/keeper/falls", test_falls);
	g_test_add_func("/gpu-search/keeper/hangs", test_hangs);
	g_test_add_func("/gpu-search/keeper/slow", test_slow);
	g_test_add_func("/gpu-search/keeper/eight", test_eight);
	g_test_add_func("/gpu-search/keeper/named-fails", test_named_fails);
	g_test_add_func("/gpu-search/keeper/vanishes", test_vanishes);
	g_test_add_func("/gpu-search/keeper/stalled-gpu", test_stalled_gpu);
	g_test_add_func("/gpu-search/keeper/stalled-reload", test_stalled_reload);
	g_test_add_func("/gpu-search/keeper/stalled-cpu", test_stalled_cpu);
	return g_test_run();
}
