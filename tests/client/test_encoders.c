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
#include <unistd.h>

#include "tests/client/canvas.h"
#include "tests/client/fixture.h"
#include "tests/guest/counter_layout.h"
#include "tests/wire/wire.h"

#define WIDTH 1024
#define HEIGHT 768
#define FORMAT VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM
#define PICTURE 1
#define FRAMES 150
/* While display is at a stand, and until a film is taken for one, pictures are not seen. */
#define SEEN 60
#define PATIENCE_MS 60000

static const struct rect film = { 40, 40, 800, 450 };

static void draw(struct canvas *canvas, unsigned number)
{
	canvas_film(canvas, film, number);
	for (int cell = 0; cell < COUNTER_CELLS; cell++) {
		struct rect rect = { 60 + (uint32_t)cell * COUNTER_CELL_PX, 72, COUNTER_CELL_PX,
			COUNTER_HEIGHT_PX };
		canvas_fill(canvas, rect, counter_cell_color(1000 + number, cell));
	}
}

/* The list of plugins is one of this test's own, since what a plugin has depends on it. */
static void set_encoder(const char *text)
{
	g_autofree char *folder = g_dir_make_tmp("vitrine-encoders-XXXXXX", NULL);
	g_autofree char *registry = g_build_filename(folder, "registry.bin", NULL);
	g_setenv("GST_PLUGIN_PATH", g_getenv("FAKE_PLUGINS"), TRUE);
	g_setenv("GST_REGISTRY", registry, TRUE);
	g_setenv("FAKE_ENCODER", text, TRUE);
}

static void unset_encoder(void)
{
	g_autofree char *folder = g_path_get_dirname(g_getenv("GST_REGISTRY"));
	wire_remove_directory(folder);
}

/* ---- what a client sees ---- */

/* It passes its trial, of smaller pictures, and hangs at a film, which is shown nevertheless. */
static void test_hangs(void)
{
	struct fixture fixture;
	set_encoder("vah264enc hangs 320");
	fixture_start(&fixture, WIDTH, HEIGHT, NULL);
	g_assert_true(fake_desktop_wait_log(fixture.desktop, "video: encoders: h264 va,", 60000));
	fixture_connect(&fixture);
	client_send(fixture.client, "wait-counter %u 30000", SEEN);
	for (unsigned i = 0; i < FRAMES; i++) {
		draw(fixture_canvas(&fixture), i);
		fake_render_flush(fixture.render, 0, &film, 1);
		g_usleep(G_USEC_PER_SEC / 30);
	}
	g_autofree char *waited = client_answer(fixture.client);
	g_assert_true(answer_is_ok(waited));
	g_autofree char *stats = client_run(fixture.client, "stats");
	g_autofree char *codec = answer_text(stats, "codec");
	g_test_message("codec %s, pictures told apart: %" G_GINT64_FORMAT " of %u", codec,
		answer_int(waited, "seen"), FRAMES);
	g_assert_cmpstr(codec, ==, "h264");
	g_assert_true(fake_desktop_wait_log(
		fixture.desktop, "encoder va: it does not answer; not used any more", 1000));
	fixture_expect_canvas(&fixture);
	fixture_stop(&fixture);
	unset_encoder();
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

static void desk_wait_said(struct desk *desk, const char *text)
{
	gint64 end_us = g_get_monotonic_time() + (gint64)PATIENCE_MS * 1000;
	while (!desk_has_said(desk, text) && g_get_monotonic_time() < end_us)
		g_usleep(50000);
	if (!desk_has_said(desk, text))
		g_error("nobody has said \"%s\"", text);
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
	set_encoder("vah264enc crashes");
	desk_start(&desk);
	desk_wait_said(&desk, REFUSED);
	desk_wait_said(&desk, "video: encoders: h264 x264,");
	g_assert_cmpuint(count_crashes(&desk), ==, 1);
	struct client *client = client_new(desk.address, NULL);
	g_assert_true(client_is_connected(client));
	client_free(client);
	g_assert_cmpuint(count_crashes(&desk), ==, 1);
	desk_stop(&desk);
	unset_encoder();
}

/* Shows a film until display has crashed once more, or the client has seen so many pictures. */
static bool show_until_crash(struct desk *desk, unsigned n_crashes)
{
	for (unsigned i = 0; i < FRAMES; i++) {
		desk_show(desk, desk->n_shown++);
		if (i % 10 == 0 && count_crashes(desk) > n_crashes)
			return true;
	}
	return false;
}

/* It passes the trial and crashes in service: the second time is the last one. */
static void test_crashes_in_service(void)
{
	struct desk desk = { 0 };
	set_encoder("vah264enc crashes 320");
	desk_start(&desk);
	desk_wait_said(&desk, "video: encoders: h264 va,");
	struct client *client = client_new(desk.address, NULL);
	g_assert_true(show_until_crash(&desk, 0));
	g_assert_false(desk_has_said(&desk, REFUSED));
	while (backend_count_log(desk.guest->backend, "video: encoders: h264 va,") < 2)
		g_usleep(50000);
	g_free(client_ask(client, "reconnect"));
	g_assert_true(client_is_connected(client));
	g_assert_true(show_until_crash(&desk, 1));
	desk_wait_said(&desk, REFUSED);
	desk_wait_said(&desk, "video: encoders: h264 x264,");
	g_free(client_ask(client, "reconnect"));
	client_send(client, "wait-counter %u 30000", SEEN);
	g_assert_false(show_until_crash(&desk, 2));
	g_autofree char *waited = client_answer(client);
	g_assert_true(answer_is_ok(waited));
	g_autofree char *stats = client_run(client, "stats");
	g_autofree char *codec = answer_text(stats, "codec");
	g_assert_cmpstr(codec, ==, "h264");
	client_free(client);
	desk_stop(&desk);
	unset_encoder();
}

int main(int argc, char **argv)
{
	fixture_init(&argc, &argv);
	g_test_add_func("/encoders/hangs", test_hangs);
	g_test_add_func("/encoders/crashes-in-trial", test_crashes_in_trial);
	g_test_add_func("/encoders/crashes-in-service", test_crashes_in_service);
	return g_test_run();
}
