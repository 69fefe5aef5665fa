/* SPDX-License-Identifier: MIT */
/*
 * gpus: tests `vitrine gpus` with nodes and a vitrine-render of the test's own, and with the real
 * one.
 */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "server/command/gpus.h"

/*
 * Stands for a GPU, one that draws with the CPU, one that crashes, one that says nonsense, and one
 * without virgl.
 */
static const char renderer_script[] =
	"#!/bin/sh\n"
	"case $1 in\n"
	"*/renderD7) kill -SEGV $$ ;;\n"
	"*/renderD9) printf "
	"'[gpu]\\nworks=true\\nsoftware=true\\nvirgl=true\\nrenderer=llvmpipe\\n' ;;\n"
	"*/renderD10) printf '[gpu]\\nworks=true\\nsoftware=false\\nvirgl=false\\nvirgl-why=too "
	"old\\n' ;;\n"
	"*/renderD128) printf '[gpu]\\nworks=true\\nsoftware=false\\nvirgl=true\\nrenderer=Card\\n"
	"opengl=4.6\\nplatform=GBM\\nfences=true\\n[scanout]\\n"
	"XRGB8888=implicit;0x0 LINEAR;0x100000000000002 I915_Y_TILED;\\n' ;;\n"
	"*/renderD129) echo nonsense ;;\n"
	"*/renderD130) exit 3 ;;\n"
	"--software) printf '[gpu]\\nworks=true\\nsoftware=true\\nvirgl=true\\n' ;;\n"
	"esac\n";

/*
 * Has an encoder on one of the GPUs and crashes in another, hangs on the second, as does a process
 * that it has started, and crashes between two of the third; on the others it is a display that
 * knows no --report.
 */
static const char display_script[] =
	"#!/bin/sh\n"
	"case $* in\n"
	"*/renderD128*) echo trying va; echo 'encoder va (vah264enc): h264, 128x96 to 4096x4096, "
	"rate "
	"control cqp; works'; echo trying nvenc; echo 'a line of a driver'; kill -ABRT $$ ;;\n"
	"*/renderD9*) echo trying vaapi; printf 'encoder vaapi: works\\ntrying \\377'\n"
	"  sleep 60 & echo $! >${0%/*}/scanner; exec sleep 60 ;;\n"
	"*/renderD10*) echo trying va; echo 'encoder va: works'; kill -SEGV $$ ;;\n"
	"*--software*) echo trying x264; echo 'encoder x264: works'; exit 0 ;;\n"
	"*) exit 1 ;;\n"
	"esac\n";

struct fixture {
	char *dir, *renderer, *display;
};

static void set_up(struct fixture *fixture, gconstpointer data)
{
	const char *const *nodes = data;
	fixture->dir = g_dir_make_tmp("vitrine-gpus-XXXXXX", NULL);
	fixture->renderer = g_build_filename(fixture->dir, "vitrine-render", NULL);
	g_assert_true(g_file_set_contents_full(
		fixture->renderer, renderer_script, -1, G_FILE_SET_CONTENTS_NONE, 0700, NULL));
	fixture->display = g_build_filename(fixture->dir, "vitrine-display", NULL);
	g_assert_true(g_file_set_contents_full(
		fixture->display, display_script, -1, G_FILE_SET_CONTENTS_NONE, 0700, NULL));
	for (unsigned i = 0; nodes[i]; i++) {
		g_autofree char *path = g_build_filename(fixture->dir, nodes[i], NULL);
		g_assert_true(g_file_set_contents(path, "", 0, NULL));
	}
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GDir) dir = g_dir_open(fixture->dir, 0, NULL);
	for (const char *name; (name = g_dir_read_name(dir));) {
		g_autofree char *path = g_build_filename(fixture->dir, name, NULL);
		g_unlink(path);
	}
	g_rmdir(fixture->dir);
	g_free(fixture->dir);
	g_free(fixture->renderer);
	g_free(fixture->display);
}

/* Long for a script, and soon over for who waits. */
#define ENCODERS_TIMEOUT_MS 3000

static GPtrArray *survey(const struct fixture *fixture)
{
	const struct gpus_survey_options options = { fixture->dir, fixture->renderer,
		fixture->display, ENCODERS_TIMEOUT_MS };
	return gpus_survey(&options);
}

static void expect(const char *text, const char *part)
{
	if (!strstr(text, part))
		g_error("\"%s\" is not in: %s", part, text);
}

/* Nothing is left behind of a display that was ended for being late. */
static void expect_no_scanner(const struct fixture *fixture)
{
	g_autofree char *path = g_build_filename(fixture->dir, "scanner", NULL), *pid = NULL;
	g_assert_true(g_file_get_contents(path, &pid, NULL, NULL));
	g_autofree char *status = g_strdup_printf("/proc/%s/cmdline", g_strstrip(pid));
	gint64 end_us = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
	for (;;) {
		g_autofree char *words = NULL;
		gsize length = 0;
		/* A zombie has no words. */
		if (!g_file_get_contents(status, &words, &length, NULL) || length == 0)
			return;
		g_assert_cmpint(g_get_monotonic_time(), <, end_us);
		g_usleep(1000);
	}
}

static const char *const all_nodes[] = { "card0", "renderD130", "renderD128", "renderD129",
	"renderD10", "renderD9", "renderD7", NULL };
static const char *const no_nodes[] = { "card0", NULL };

static void test_text(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GPtrArray) gpus = survey(fixture);
	g_autofree char *text = gpus_describe(gpus);
	g_test_message("%s", text);
	expect(text, "renderD7\n  not used  its driver crashes: signal 11");
	expect(text, "renderD9\n  renderer  llvmpipe (draws with the CPU)");
	expect(text, "virgl     does not start: too old");
	expect(text,
		"renderD128: taken unless another is named\n  renderer  Card\n  OpenGL    4.6, "
		"GBM, native fences\n"
		"  scanout   XRGB8888    implicit, LINEAR, I915_Y_TILED\n  virgl     starts\n"
		"  encoders  va (vah264enc): h264, 128x96 to 4096x4096, rate control cqp; "
		"works\n            nvenc: ended the trial: signal 6 (");
	/* What was printed before is there for one that hangs, too. */
	expect(text, "  encoders  vaapi: works\n            \357\277\275: ended the trial: late, "
		     "no answer in 3 s");
	expect_no_scanner(fixture);
	expect(text, "  encoders  va: works\n            vitrine-display --report: signal 11");
	/* A display of a desktop that is drawn by the CPU opens no GPU. */
	expect(text, "  encoders  x264: works\n");
	expect(text, "renderD129\n  not used  vitrine-render ends with status 0");
	expect(text, "renderD130\n  not used  vitrine-render ends with status 3");
	expect(text, "\nsoftware\n");
	g_assert_null(strstr(text, "card0"));
	g_assert_null(strstr(text, "no render node"));
}

/* GPUs are listed in the order that a desktop tries them. */
static void test_json(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GPtrArray) gpus = survey(fixture);
	g_autofree char *text = gpus_describe_json(gpus);
	g_autoptr(JsonNode) root = json_from_string(text, NULL);
	JsonArray *array = json_object_get_array_member(json_node_get_object(root), "gpus");
	g_assert_cmpuint(json_array_get_length(array), ==, 7);
	for (unsigned i = 0; i < 7; i++) {
		JsonObject *gpu = json_array_get_object_element(array, i);
		g_assert_cmpint(json_object_get_boolean_member(gpu, "default"), ==, i == 3);
		g_assert_cmpint(json_object_has_member(gpu, "node"), ==, i < 6);
	}
	JsonObject *chosen = json_array_get_object_element(array, 3);
	g_assert_cmpuint(
		json_array_get_length(json_object_get_array_member(chosen, "encoders")), ==, 2);
	g_assert_true(json_object_has_member(chosen, "missing"));
	JsonObject *scanout =
		json_object_get_object_member(json_array_get_object_element(array, 3), "scanout");
	JsonArray *layouts = json_object_get_array_member(scanout, "XRGB8888");
	JsonObject *tiled = json_array_get_object_element(layouts, 2);
	g_assert_cmpuint(json_array_get_length(layouts), ==, 3);
	g_assert_cmpstr(json_object_get_string_member(tiled, "modifier"), ==, "0x100000000000002");
	g_assert_cmpstr(json_object_get_string_member(tiled, "name"), ==, "I915_Y_TILED");
}

static void test_none(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GPtrArray) gpus = survey(fixture);
	g_autofree char *text = gpus_describe(gpus);
	expect(text, "no render node here");
	expect(text, "software: taken unless another is named\n");
}

static void test_no_renderer(struct fixture *fixture, gconstpointer data)
{
	g_unlink(fixture->renderer);
	g_autoptr(GPtrArray) gpus = survey(fixture);
	g_autofree char *text = gpus_describe(gpus);
	expect(text, "No such file or directory");
}

/*
 * The command runs with the real vitrine-render, for a node that is none and for the software
 * renderer.
 */
static void test_real(struct fixture *fixture, gconstpointer data)
{
	g_autofree char *line =
		g_strdup_printf("%s gpus --nodes-dir=%s", g_getenv("VITRINE"), fixture->dir);
	g_autofree char *text = NULL;
	int status;
	g_assert_true(g_spawn_command_line_sync(line, &text, NULL, &status, NULL));
	g_assert_true(g_spawn_check_wait_status(status, NULL));
	g_test_message("%s", text);
	expect(text, "renderD128\n  not used");
	expect(text, "is no DRM device");
	expect(text, "\nsoftware");
}

int main(int argc, char **argv)
{
	static const char *const one_node[] = { "renderD128", NULL };
	static const struct {
		const char *name;
		const char *const *nodes;
		void (*test)(struct fixture *, gconstpointer);
	} tests[] = {
		{ "/gpus/text", all_nodes, test_text },
		{ "/gpus/json", all_nodes, test_json },
		{ "/gpus/none", no_nodes, test_none },
		{ "/gpus/no-renderer", all_nodes, test_no_renderer },
		{ "/gpus/real", one_node, test_real },
	};
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].name, struct fixture, tests[i].nodes, set_up, tests[i].test,
			tear_down);
	return g_test_run();
}
