/* SPDX-License-Identifier: MIT */
#include "tests/wire/wire.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/shim/shim.h"

/* So long no frame comes when all have come. */
#define QUIET_MS 30

/*
 * The starter lets workers read what LD_LIBRARY_PATH names: here what tests/shim preloads into the
 * renderer, and the folder that build-shims made. It lets them write where GStreamer's registry is,
 * and there the shim's log and control file lie.
 */
static void let_shims_in(void)
{
	const char *shims = g_getenv("VITRINE_SHIM"), *render = g_getenv("VITRINE_RENDER");
	const char *before = g_getenv("LD_LIBRARY_PATH"), *log = g_getenv("VITRINE_SHIM_LOG");
	if (!g_getenv("VITRINE_SHIM_GPU") || !shims || !render)
		return;
	g_autofree char *folder = g_path_get_dirname(render);
	g_autofree char *paths = g_strjoin(":", folder, shims, before, NULL);
	g_setenv("LD_LIBRARY_PATH", paths, TRUE);
	g_autofree char *logs = log ? g_path_get_dirname(log) : NULL;
	g_autofree char *registry = log ? g_build_filename(logs, "registry", NULL) : NULL;
	if (registry)
		g_setenv("GST_REGISTRY", registry, TRUE);
}

void wire_init(int *argc, char ***argv)
{
	let_shims_in();
	signal(SIGPIPE, SIG_IGN);
	backend_dump_on_abort();
	g_test_init(argc, argv, NULL);
}

int wire_skip_all(const char *reason)
{
	g_print("1..0 # SKIP %s\n", reason);
	return 0;
}

bool wire_skip_undrawn(void)
{
	if (picture_is_drawn())
		return false;
	g_test_skip("the GPU is a faked one, which draws nothing and is never busy");
	return true;
}

int wire_ms(int ms)
{
	const char *slow = g_getenv("WIRE_SLOW");
	int factor = slow ? atoi(slow) : 1;
	return ms * MAX(factor, 1);
}

const char *wire_stock(void)
{
	const char *program = g_getenv("WIRE_STOCK");
	if (!program)
		program = "/usr/lib/qemu/vhost-user-gpu";
	return g_file_test(program, G_FILE_TEST_IS_EXECUTABLE) ? program : NULL;
}

uint32_t *wire_noise(uint32_t seed, size_t n)
{
	uint32_t *pixels = g_new(uint32_t, n);
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		pixels[i] = 0xff000000 | seed >> 8;
	}
	return pixels;
}

static const char *program(const char *variable)
{
	const char *path = g_getenv(variable);
	if (!path)
		g_error("%s is not set: run by meson", variable);
	return path;
}

struct desktop *desktop_create(const struct desktop_options *options)
{
	struct desktop *desktop = g_new0(struct desktop, 1);
	char *directory = backend_directory_create();
	g_autofree char *worker_dir = g_strdup_printf("--worker-dir=%s", directory);
	g_autofree char *spice = g_strdup_printf("--spice-unix=%s/spice", directory);
	g_autofree char *stats = g_strdup_printf("--stats-socket=%s/stats", directory);
	/* In the DRM test VM and in tests/shim, which set it, the desktop draws with a GPU. */
	const char *node = g_getenv("WIRE_RENDER_NODE");
	g_autofree char *draw =
		node ? g_strdup_printf("--render-node=%s", node) : g_strdup("--software");
	g_autofree char *limit = g_strdup_printf("--submit-limit=%u", options->submit_limit_s);
	g_autofree char *spare =
		g_strdup_printf("--spare=%s", options->spare ? options->spare : "none");
	const char *arguments[] = { worker_dir, spice, stats, draw, spare, NULL, NULL, NULL, NULL,
		NULL, NULL, NULL };
	const char **more = arguments + 5;
	if (options->virgl)
		*more++ = "--virgl";
	if (options->no_pacing)
		*more++ = "--no-pacing";
	if (options->submit_limit_s > 0)
		*more++ = limit;
	g_autofree char *quota =
		options->quotas ? g_strdup_printf("--quota=%s", options->quotas) : NULL;
	if (quota)
		*more++ = quota;
	if (options->unconfined)
		*more++ = "--confine=off";
	g_autofree char *name =
		g_strdup_printf("--name=%s", options->name ? options->name : WIRE_NAME);
	*more++ = name;
	struct guest_options guest = {
		.program = program("VITRINE_GPU"),
		.arguments = arguments,
		.directory = directory,
		.layout = options->layout,
		.memory_bytes = options->memory_bytes,
		.shape = options->shape,
		.event_idx = options->event_idx,
		.virgl = options->virgl,
		.protocol_features = options->protocol_features,
		.timeout_ms = wire_ms(10000),
	};
	desktop->virgl = options->virgl;
	desktop->consumer = consumer_link_create(
		directory, program("WIRE_CONSUMER"), program("VITRINE_RENDER"), wire_ms(15000));
	desktop->guest = guest_create_machine(&guest);
	if (!consumer_link_accept(desktop->consumer))
		g_error("the keeper started no vitrine-display");
	consumer_link_rate(desktop->consumer, 0, 1000000);
	if (!options->machine_only)
		guest_driver_start(desktop->guest);
	return desktop;
}

/* Fails every test in which the frame link's rules were broken, whatever it is about. */
static void check_consumer(struct desktop *desktop)
{
	const struct consumer_state_answer *state = consumer_link_state(desktop->consumer);
	if (state->breaches)
		g_error("the renderer broke the frame link's rules %" G_GUINT64_FORMAT
			" times, first: %s",
			state->breaches, state->breach);
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		if (state->heads[i].on && state->heads[i].rows_behind > 0)
			g_error("head %u: damage has not brought %u rows of the last frame", i,
				state->heads[i].rows_behind);
	}
}

/* Fails the test for a sanitizer's report, also when the process that wrote it was replaced. */
static void check_log(const struct backend *backend)
{
	static const char *const reports[] = { "AddressSanitizer", "LeakSanitizer",
		"runtime error:", "assertion failed", "CRITICAL", SHIM_CRASH };
	g_autofree char *log = backend_read_log(backend);
	for (unsigned i = 0; i < G_N_ELEMENTS(reports); i++) {
		if (strstr(log, reports[i]))
			g_error("%s in the backend's log", reports[i]);
	}
	if (g_test_verbose())
		g_printerr("%s", log);
}

static void check_end(struct backend *backend)
{
	backend_close_socket(backend);
	if (!backend_wait_exit(backend, wire_ms(WIRE_END_MS)))
		g_error("the backend does not end when QEMU hangs up");
	g_assert_cmpint(backend->wait_status, ==, 0);
	check_log(backend);
}

void desktop_destroy(struct desktop *desktop)
{
	check_consumer(desktop);
	check_end(desktop->guest->backend);
	guest_destroy(desktop->guest);
	consumer_link_destroy(desktop->consumer);
	g_free(desktop);
}

pid_t desktop_renderer(struct desktop *desktop)
{
	return desktop_wait_new_renderer(desktop, 0);
}

pid_t desktop_wait_new_renderer(struct desktop *desktop, pid_t old)
{
	pid_t pid =
		backend_wait_child(desktop->guest->backend, "vitrine-render", old, wire_ms(15000));
	if (!pid)
		g_error("the keeper has no renderer");
	return pid;
}

/*
 * What comes is all that can be told where nothing is drawn. There is the picture when no frame has
 * come for a while, for a frame of the last one looks alike.
 */
static bool is_quiet(const struct consumer_picture *picture, uint64_t *frames, gint64 *since_us)
{
	gint64 now_us = g_get_monotonic_time();
	if (picture_is_drawn())
		return true;
	if (picture->frames != *frames)
		*since_us = now_us;
	*frames = picture->frames;
	return picture->frames > 0 && now_us - *since_us > wire_ms(QUIET_MS) * 1000;
}

bool desktop_shows(struct desktop *desktop, unsigned head, const uint32_t *pixels, uint32_t width,
	uint32_t height)
{
	gint64 end = g_get_monotonic_time() + (gint64)wire_ms(5000) * 1000;
	const struct consumer_picture *picture;
	uint64_t frames = 0;
	gint64 since_us = g_get_monotonic_time();
	for (;;) {
		picture = consumer_link_snapshot(desktop->consumer, head);
		bool fits = picture->width == width && picture->height == height &&
			    is_quiet(picture, &frames, &since_us);
		bool late = g_get_monotonic_time() > end;
		if (fits && picture_equal(late ? "picture" : NULL, desktop->consumer->pixels,
				    pixels, width, height, 0xffffff))
			return true;
		if (late)
			break;
		g_usleep(2000);
	}
	if (picture->width != width || picture->height != height)
		g_printerr("# head %u: %ux%u instead of %ux%u\n", head, picture->width,
			picture->height, width, height);
	return false;
}

void wire_remove_directory(const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	const char *name;
	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *child = g_build_filename(path, name, NULL);
		if (g_file_test(child, G_FILE_TEST_IS_DIR) &&
			!g_file_test(child, G_FILE_TEST_IS_SYMLINK))
			wire_remove_directory(child);
		else
			unlink(child);
	}
	if (dir)
		g_dir_close(dir);
	rmdir(path);
}
