/* SPDX-License-Identifier: MIT */
/*
 * shim-failures: what cards and their drivers do wrong, one after the other. Each ends within a
 * bound, and a line of the log says what it was: either the picture comes all the same, from the
 * same renderer, or from another one that draws with the CPU, or the backend ends.
 */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/shim/shim_stage.h"

#define WIDTH 320
#define HEIGHT 200
#define PICTURE 100
/* No failure holds anybody up for longer. */
#define BOUND_MS 30000
/* In the environment of the process that a failure may end. */
#define OTHER_PROCESS "SHIM_FAILURES_OTHER"

static char *self;

struct failure {
	const char *name;
	const char *faults;
	const char *told; /* in the log, a regular expression */
};

static bool is_told(const struct failure *failure, const char *log)
{
	return g_regex_match_simple(failure->told, log, 0, 0);
}

/* The picture comes. */
static const struct failure borne[] = {
	{ "export-fails", "export=fail", "it cannot be exported" },
	{ "export-is-none", "export=none", "it cannot be exported" },
	{ "import-fails", "import=fail", "EGL does not take it back" },
	{ "pixels-are-wrong", "pixels=wrong", "pixels do not arrive where they should" },
	{ "no-egl-image", "no-egl-image", "GL_OES_EGL_image" },
	{ "map-is-null", "map=null", "its pixels cannot be looked at" },
	{ "linear-is-external", "linear=external",
		"no GPU buffers of [0-9x]+ to be had: pictures go through the CPU" },
};

static void test_borne(gconstpointer data)
{
	const struct failure *failure = data;
	shim_stage_set_faults(failure->faults);
	struct desktop *desktop = shim_stage_create();
	pid_t renderer = desktop_renderer(desktop);
	shim_stage_add_picture(desktop, PICTURE, WIDTH, HEIGHT);
	for (enum consumer_dmabufs takes = CONSUMER_NO_DMABUFS; takes <= CONSUMER_LINEAR_DMABUFS;
		takes++) {
		shim_stage_take(desktop, takes);
		g_assert_true(shim_stage_draw(desktop, PICTURE, WIDTH, HEIGHT));
	}
	g_assert_cmpint(desktop_renderer(desktop), ==, renderer);
	g_autofree char *log = backend_read_log(desktop->guest->backend);
	g_assert_true(is_told(failure, log));
	desktop_destroy(desktop);
	shim_stage_set_faults(NULL);
}

/* Draws until there is a picture and the line is in the log. Its guest makes a lost context anew.
 */
static void draw_until_told(struct desktop *desktop, const struct failure *failure)
{
	gint64 end_us = g_get_monotonic_time() + (gint64)wire_ms(BOUND_MS) * 1000;
	bool is_drawn = false, has_told = false;
	while (!is_drawn || !has_told) {
		g_assert_cmpint(g_get_monotonic_time(), <, end_us);
		is_drawn = shim_stage_draw(desktop, PICTURE, WIDTH, HEIGHT);
		if (!is_drawn)
			shim_stage_begin_anew(desktop, PICTURE);
		g_autofree char *log = backend_read_log(desktop->guest->backend);
		has_told = is_told(failure, log);
	}
}

/*
 * The card is pulled from a desktop that has shown a picture. There are pictures again, drawn by
 * the CPU; a line says so. Some drivers of Mesa's take the CPU by themselves where their card does
 * not answer.
 */
static void pull_in_service(const char *faults)
{
	static const struct failure failure = { "gone-in-service", "", "llvmpipe" };
	shim_stage_set_faults(faults);
	struct desktop *desktop = shim_stage_create();
	shim_stage_add_picture(desktop, PICTURE, WIDTH, HEIGHT);
	g_assert_true(shim_stage_draw(desktop, PICTURE, WIDTH, HEIGHT));
	g_autofree char *before = backend_read_log(desktop->guest->backend);
	g_assert_false(is_told(&failure, before));
	__atomic_store_n(&shim_stage_control()->is_gone, 1, __ATOMIC_RELEASE);
	draw_until_told(desktop, &failure);
	desktop_destroy(desktop);
	shim_stage_set_faults(NULL);
}

static void test_gone_in_service(void)
{
	pull_in_service(NULL);
}

/*
 * The GPU is reset under a guest that waits for no fence. Whatever the reset takes, a line says so,
 * and the next renderer draws. For NVIDIA's cards libdrm ends the renderer itself.
 */
static void test_reset_without_fences(void)
{
	static const struct failure failure = { "reset", "",
		"(GPU reset|libdrm|pushbuf)(.|\n)*starting another" };
	shim_stage_set_faults("once");
	struct desktop *desktop = shim_stage_create();
	shim_stage_add_picture(desktop, PICTURE, WIDTH, HEIGHT);
	g_assert_true(shim_stage_draw(desktop, PICTURE, WIDTH, HEIGHT));
	__atomic_store_n(&shim_stage_control()->resets_wanted, 1, __ATOMIC_RELEASE);
	draw_until_told(desktop, &failure);
	desktop_destroy(desktop);
	shim_stage_set_faults(NULL);
}

/* Drivers of Mesa crash, make no context, or draw with the CPU. */
#define GONE_AT_START                                                                              \
	"starting [A-Za-z]+ ended the renderer: killed by signal|no OpenGL context can be "        \
	"made|llvmpipe"
/*
 * It need not come: then the backend ends, which ends the test's other process. Its log is printed
 * by that.
 */
static const struct failure fatal[] = {
	{ "start-crashes", "start=crash", "starting OpenGL ended the renderer: killed by signal" },
	{ "start-fails", "start=fail", "llvmpipe" },
	{ "no-rights", "rights=none", "no right to open it" },
	{ "old-opengl", "gl=2.1", "OpenGL 3.0 is needed, and it has 2.1" },
	{ "gone-at-once", "gone=0", GONE_AT_START },
	{ "gone-soon", "gone=40", GONE_AT_START },
};

static void live_with(const struct failure *failure)
{
	shim_stage_set_faults(failure->faults);
	struct desktop *desktop = shim_stage_create();
	shim_stage_add_picture(desktop, PICTURE, WIDTH, HEIGHT);
	for (unsigned i = 0; i < 20; i++)
		g_assert_true(shim_stage_draw(desktop, PICTURE, WIDTH, HEIGHT));
	g_autofree char *log = backend_read_log(desktop->guest->backend);
	g_assert_true(is_told(failure, log));
	desktop_destroy(desktop);
}

/* Runs one of these tests in a process that may abort, and then prints the backend's log. */
static int run_in_other_process(const char *name, char **err)
{
	g_autofree char *path = g_strdup_printf("/failures/%s", name);
	g_autofree char *bound_s = g_strdup_printf("%d", wire_ms(BOUND_MS) / 1000);
	const char *argv[] = { "timeout", "--signal=KILL", bound_s, self, "-p", path, NULL };
	/* It has a folder of its own, in which its renderers may write the log and the control
	 * file.
	 */
	char **inherited = g_environ_unsetenv(g_get_environ(), "VITRINE_SHIM_LOG");
	g_auto(GStrv) environment = g_environ_setenv(inherited, OTHER_PROCESS, "1", TRUE);
	g_autofree char *out = NULL;
	int status;
	gint64 began = g_get_monotonic_time();
	g_assert_true(g_spawn_sync(NULL, (char **)argv, environment, G_SPAWN_SEARCH_PATH, NULL,
		NULL, &out, err, &status, NULL));
	g_test_message("%s after %" G_GINT64_FORMAT " ms", status == 0 ? "lives on" : "ends",
		(g_get_monotonic_time() - began) / 1000);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		g_test_fail();
	return status;
}

static void expect_told(const struct failure *failure, const char *err)
{
	if (is_told(failure, err))
		return;
	g_printerr("%s", err);
	g_test_fail();
}

static void test_fatal(gconstpointer data)
{
	const struct failure *failure = data;
	g_autofree char *err = NULL;
	if (g_getenv(OTHER_PROCESS))
		live_with(failure);
	else if (run_in_other_process(failure->name, &err) != 0)
		expect_told(failure, err);
}

/* No crash of our own passes for that of a driver whose card was pulled: it fails the test. */
static void test_bug(void)
{
	static const struct failure failure = { "bug", "bug",
		"wire-ERROR[^\n]*(AddressSanitizer|" SHIM_CRASH ") in the backend's log" };
	g_autofree char *err = NULL;
	if (g_getenv(OTHER_PROCESS)) {
		pull_in_service(failure.faults);
		return;
	}
	g_assert_cmpint(run_in_other_process(failure.name, &err), !=, 0);
	expect_told(&failure, err);
}

int main(int argc, char **argv)
{
	self = argv[0];
	if (!shim_stage_init(&argc, &argv))
		return 0;
	for (unsigned i = 0; i < G_N_ELEMENTS(borne); i++) {
		g_autofree char *path = g_strdup_printf("/failures/%s", borne[i].name);
		g_test_add_data_func(path, &borne[i], test_borne);
	}
	g_test_add_func("/failures/gone-in-service", test_gone_in_service);
	g_test_add_func("/failures/bug", test_bug);
	g_test_add_func("/failures/reset-without-fences", test_reset_without_fences);
	for (unsigned i = 0; i < G_N_ELEMENTS(fatal); i++) {
		g_autofree char *path = g_strdup_printf("/failures/%s", fatal[i].name);
		g_test_add_data_func(path, &fatal[i], test_fatal);
	}
	return g_test_run();
}
