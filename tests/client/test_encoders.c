/* SPDX-License-Identifier: MIT */
/*
 * encoders: checks what a stock client sees of an encoder that hangs, and what becomes of a desktop
 * whose encoder crashes the process that it runs in: the keeper, and both workers, are real then.
 *
 * The encoder is a plugin of GStreamer (FAKE_PLUGINS is its folder) that has the name of VA-API's.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/client/canvas.h"
#include "tests/client/fixture.h"
#include "tests/wire/wire.h"

#define WIDTH 1024
#define HEIGHT 768
#define FORMAT VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM
#define PICTURE 1
/* So many pictures are shown between two looks. */
#define SHOWN 10
#define PATIENCE_MS 60000

static const struct rect film = { 40, 40, 800, 450 };

static void draw(struct canvas *canvas, unsigned number)
{
	canvas_film(canvas, film, number);
}

/* The plugins that a stream takes, so that nobody waits until all of a machine's are looked at. */
static void link_plugins(const char *folder)
{
	static const char *const needed[] = { "app", "coreelements", "videoconvertscale",
		"videoconvert", "x264", "vpx", "jpeg" };
	for (unsigned i = 0; i < G_N_ELEMENTS(needed); i++) {
		g_autofree char *name = g_strdup_printf("libgst%s.so", needed[i]);
		g_autofree char *path = g_build_filename(folder, name, NULL);
		g_autofree char *target = g_build_filename(g_getenv("STOCK_PLUGINS"), name, NULL);
		g_assert_cmpint(symlink(target, path), ==, 0);
	}
}

/* The list of plugins is one of this test's own, since what a plugin has depends on it. */
static char *set_encoder(const char *text)
{
	char *folder = g_dir_make_tmp("vitrine-encoders-XXXXXX", NULL);
	g_autofree char *registry = g_build_filename(folder, "registry.bin", NULL);
	link_plugins(folder);
	g_setenv("GST_PLUGIN_SYSTEM_PATH", folder, TRUE);
	g_setenv("GST_PLUGIN_PATH", g_getenv("FAKE_PLUGINS"), TRUE);
	g_setenv("GST_REGISTRY", registry, TRUE);
	g_setenv("FAKE_ENCODER", text, TRUE);
	return folder;
}

/* The client takes all the plugins that there are; it is started after this. */
static void unset_encoder(void)
{
	g_unsetenv("GST_PLUGIN_SYSTEM_PATH");
	g_unsetenv("GST_PLUGIN_PATH");
	g_unsetenv("GST_REGISTRY");
	g_unsetenv("FAKE_ENCODER");
}

/* ---- what a client sees ---- */

#define UNANSWERED "encoder va: it does not answer; not used any more"

/* Returns whether the client decodes a film. */
static bool has_video(struct client *client)
{
	g_autofree char *stats = client_run(client, "stats");
	g_autofree char *codec = answer_text(stats, "codec");
	return g_strcmp0(codec, "h264") == 0;
}

static gint64 n_seen(struct client *client)
{
	g_autofree char *stats = client_run(client, "stats");
	return answer_int(stats, "invalidates");
}

/* It passes its trial, of smaller pictures, and hangs at a film, which is shown nevertheless. */
static void test_hangs(void)
{
	struct fixture fixture;
	g_autofree char *folder = set_encoder("vah264enc hangs 320");
	fixture_start(&fixture, WIDTH, HEIGHT, NULL);
	unset_encoder();
	g_assert_true(fake_desktop_wait_log(fixture.desktop, "video: encoders: h264 va,", 60000));
	fixture_connect(&fixture);
	gint64 end_us = g_get_monotonic_time() + (gint64)PATIENCE_MS * 1000;
	gint64 n_before = -1; /* pictures that the client had shown when display told */
	for (unsigned i = 0; i % SHOWN || n_before < 0 || n_seen(fixture.client) < n_before + SHOWN;
		i++) {
		g_assert_cmpint(g_get_monotonic_time(), <, end_us);
		draw(fixture_canvas(&fixture), i);
		fake_render_flush(fixture.render, 0, &film, 1);
		g_usleep(G_USEC_PER_SEC / 30);
		if (n_before < 0 && fake_desktop_wait_log(fixture.desktop, UNANSWERED, 0))
			n_before = n_seen(fixture.client);
	}
	g_assert_true(has_video(fixture.client));
	fixture_expect_canvas(&fixture);
	fixture_stop(&fixture);
	wire_remove_directory(folder);
}

/* ---- a desktop with its keeper ---- */

struct desk {
	struct guest *guest;
	struct guest_backing *backing;
	struct canvas canvas;
	char *address;
	unsigned n_shown;
};

/* Returns a port that was free a moment ago. */
static unsigned find_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(fd, (struct sockaddr *)&address, size), ==, 0);
	g_assert_cmpint(getsockname(fd, (struct sockaddr *)&address, &size), ==, 0);
	close(fd);
	return ntohs(address.sin_port);
}

static char *make_worker_dir(void)
{
	static const char *const names[][2] = { { "vitrine-render", "VITRINE_RENDER" },
		{ "vitrine-display", "VITRINE_DISPLAY" } };
	char *directory = backend_directory_create();
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(directory, names[i][0], NULL);
		g_assert_cmpint(symlink(g_getenv(names[i][1]), path), ==, 0);
	}
	return directory;
}

static void desk_start(struct desk *desk)
{
	const guest_rect all = { 0, 0, WIDTH, HEIGHT };
	char *directory = make_worker_dir();
	unsigned port = find_port();
	g_autofree char *workers = g_strdup_printf("--worker-dir=%s", directory);
	g_autofree char *spice = g_strdup_printf("--spice-port=%u", port);
	const char *arguments[] = { workers, spice, "--software", "--no-password", NULL };
	const struct guest_options options = { .program = g_getenv("VITRINE_GPU"),
		.arguments = arguments,
		.directory = directory,
		.timeout_ms = PATIENCE_MS };
	desk->address = g_strdup_printf("spice://127.0.0.1:%u", port);
	desk->guest = guest_create(&options);
	canvas_init(&desk->canvas, WIDTH, HEIGHT);
	desk->backing = guest_backing_create(desk->guest, (size_t)WIDTH * HEIGHT * 4, 0);
	wire_ok(guest_gpu_create_2d(desk->guest, PICTURE, FORMAT, WIDTH, HEIGHT));
	wire_ok(guest_backing_attach(desk->backing, PICTURE));
	wire_ok(guest_gpu_set_scanout(desk->guest, 0, PICTURE, all));
}

static void desk_stop(struct desk *desk)
{
	guest_backing_free(desk->backing);
	guest_destroy(desk->guest);
	canvas_finish(&desk->canvas);
	g_free(desk->address);
}

static bool desk_has_said(struct desk *desk, const char *text)
{
	return backend_count_log(desk->guest->backend, text) > 0;
}

static void desk_wait_said_times(struct desk *desk, const char *text, unsigned n)
{
	gint64 end_us = g_get_monotonic_time() + (gint64)PATIENCE_MS * 1000;
	while (backend_count_log(desk->guest->backend, text) < n && g_get_monotonic_time() < end_us)
		g_usleep(50000);
	if (backend_count_log(desk->guest->backend, text) < n)
		g_error("nobody has said \"%s\", time %u", text, n);
}

static void desk_wait_said(struct desk *desk, const char *text)
{
	desk_wait_said_times(desk, text, 1);
}

static void desk_show(struct desk *desk, unsigned number)
{
	const guest_rect rect = { film.x, film.y, film.width, film.height };
	size_t offset = ((size_t)film.y * WIDTH + film.x) * 4;
	draw(&desk->canvas, number);
	guest_backing_write(desk->backing, 0, desk->canvas.pixels, (size_t)WIDTH * HEIGHT * 4);
	guest_gpu_transfer_2d(desk->guest, PICTURE, rect, offset);
	guest_gpu_flush(desk->guest, PICTURE, rect);
	g_usleep(G_USEC_PER_SEC / 30);
}

static unsigned count_crashes(struct desk *desk)
{
	return backend_count_log(desk->guest->backend, "vitrine-display (pid") -
	       backend_count_log(desk->guest->backend, "vitrine-display (pid 0");
}

#define REFUSED "encoder va: vitrine-display has crashed in it; not used until"

/* It crashes as soon as it is tried: that is the first display's end, and no other one's. */
static void test_crashes_in_trial(void)
{
	struct desk desk = { 0 };
	g_autofree char *folder = set_encoder("vah264enc crashes");
	desk_start(&desk);
	unset_encoder();
	desk_wait_said(&desk, REFUSED);
	desk_wait_said(&desk, "video: encoders: h264 x264,");
	g_assert_cmpuint(count_crashes(&desk), ==, 1);
	struct client *client = client_new(desk.address, NULL);
	g_assert_true(client_is_connected(client));
	client_free(client);
	g_assert_cmpuint(count_crashes(&desk), ==, 1);
	desk_stop(&desk);
	wire_remove_directory(folder);
}

static void show_some(struct desk *desk)
{
	for (unsigned i = 0; i < SHOWN; i++)
		desk_show(desk, desk->n_shown++);
}

/* Shows a film until display has crashed so often. */
static void show_until_crash(struct desk *desk, unsigned n_crashes)
{
	gint64 end_us = g_get_monotonic_time() + (gint64)PATIENCE_MS * 1000;
	while (count_crashes(desk) < n_crashes && g_get_monotonic_time() < end_us)
		show_some(desk);
	g_assert_cmpuint(count_crashes(desk), ==, n_crashes);
}

static void show_until_video(struct desk *desk, struct client *client)
{
	gint64 end_us = g_get_monotonic_time() + (gint64)PATIENCE_MS * 1000;
	while (!has_video(client) && g_get_monotonic_time() < end_us)
		show_some(desk);
	g_assert_true(has_video(client));
}

/* It passes the trial and crashes in service: the second time is the last one. */
static void test_crashes_in_service(void)
{
	struct desk desk = { 0 };
	g_autofree char *folder = set_encoder("vah264enc crashes 320");
	desk_start(&desk);
	unset_encoder();
	desk_wait_said(&desk, "video: encoders: h264 va,");
	struct client *client = client_new(desk.address, NULL);
	show_until_crash(&desk, 1);
	g_assert_false(desk_has_said(&desk, REFUSED));
	desk_wait_said_times(&desk, "video: encoders: h264 va,", 2);
	g_free(client_ask(client, "reconnect"));
	g_assert_true(client_is_connected(client));
	show_until_crash(&desk, 2);
	desk_wait_said(&desk, REFUSED);
	desk_wait_said(&desk, "video: encoders: h264 x264,");
	g_free(client_ask(client, "reconnect"));
	show_until_video(&desk, client);
	show_some(&desk);
	g_assert_cmpuint(count_crashes(&desk), ==, 2);
	client_free(client);
	desk_stop(&desk);
	wire_remove_directory(folder);
}

/* ---- what is asked without a desktop ---- */

/* Returns what --report prints, which the caller frees. */
static char *report(const char *option, int *wait_status)
{
	const char *argv[] = { g_getenv("VITRINE_DISPLAY"), "--report", option, NULL };
	char *text = NULL;
	g_assert_true(g_spawn_sync(
		NULL, (char **)argv, NULL, 0, NULL, NULL, &text, NULL, wait_status, NULL));
	g_test_message("%s", text);
	return text;
}

/* The last line names who ended it; with --software nobody loads what encodes on a GPU. */
static void test_report(void)
{
	int wait_status;
	g_autofree char *folder = set_encoder("vah264enc crashes");
	g_autofree char *crashed = report(NULL, &wait_status);
	g_assert_true(WIFSIGNALED(wait_status));
	g_assert_true(g_str_has_suffix(crashed, "\ntrying va\n"));
	g_autofree char *software = report("--software", &wait_status);
	unset_encoder();
	g_assert_cmpint(wait_status, ==, 0);
	g_assert_nonnull(strstr(software, "\ntrying x264\nencoder x264 (x264enc): h264, "));
	g_assert_null(strstr(software, "va"));
	wire_remove_directory(folder);
}

/* Whoever hangs the GPU resets it for all: the encoder that was at work then is not to blame. */
static void test_reset(void)
{
	struct desk desk = { 0 };
	g_autofree char *folder = set_encoder("vah264enc is-reset 320");
	desk_start(&desk);
	unset_encoder();
	struct client *client = NULL;
	for (unsigned n = 1; n <= 3; n++) {
		desk_wait_said_times(&desk, "video: encoders: h264 va,", n);
		if (client)
			g_free(client_ask(client, "reconnect"));
		else
			client = client_new(desk.address, NULL);
		g_assert_true(client_is_connected(client));
		show_until_crash(&desk, n);
	}
	desk_wait_said_times(&desk, "video: encoders: h264 va,", 4);
	desk_wait_said_times(&desk, "ended: the GPU was reset; starting another", 3);
	g_assert_false(desk_has_said(&desk, REFUSED));
	client_free(client);
	desk_stop(&desk);
	wire_remove_directory(folder);
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	g_test_add_func("/encoders/hangs", test_hangs);
	g_test_add_func("/encoders/crashes-in-trial", test_crashes_in_trial);
	g_test_add_func("/encoders/crashes-in-service", test_crashes_in_service);
	g_test_add_func("/encoders/report", test_report);
	g_test_add_func("/encoders/reset", test_reset);
	return g_test_run();
}
