/* SPDX-License-Identifier: MIT */
/*
 * local: tests clients that get the dma-buf itself, with the three real processes, a fake guest in
 * front and a SPICE client (gl_client) behind, which imports what it is handed and reads it back.
 * It runs in the DRM test VM.
 */
#include <gio/gio.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/drm/drm_test.h"
#include "tests/wire/scene3d.h"
#include "tests/wire/wire.h"

#define WIDTH 320
#define HEIGHT 200
/* No driver pads such rows to what all GPUs take. */
#define ODD_WIDTH 1366
#define ODD_HEIGHT 768
#define BIND_SCANOUT_TARGET (1u << 1 | 1u << 3 | 1u << 18)

/*
 * What a driver lacks (gbm_shim.c), how the client is shown pictures then, and what is logged. The
 * first LACKS_SHORT belong to every run, all to a longer one.
 */
#define LACKS_SHORT 3
static const struct lack {
	const char *fault, *way, *log;
} lacks[] = {
	{ "linear-sampled", "gl", "virgl on " },
	{ "no-map", "2d", "go through the CPU" },
	{ "no-images", "2d", "no GPU buffers: GL draws to no images" },
	{ "no-linear", "gl", "could not be made: GBM makes no such buffer" },
	{ "no-export", "2d", "go through the CPU" },
};

/* ---- a desktop with its real display ---- */

struct local {
	struct guest *guest;
	char *unix_uri, *tcp_uri;
	uint32_t shown; /* a resource; 0: none */
};

static unsigned free_port(void)
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

static struct local *local_create(void)
{
	struct local *local = g_new0(struct local, 1);
	char *directory = backend_directory_create();
	unsigned port = free_port();
	g_autofree char *node = g_strdup_printf("--render-node=%s", g_getenv("WIRE_RENDER_NODE"));
	g_autofree char *unix_option = g_strdup_printf("--spice-unix=%s/spice", directory);
	g_autofree char *port_option = g_strdup_printf("--spice-port=%u", port);
	/* A spare renderer would say everything twice. */
	const char *arguments[] = { unix_option, port_option, node, "--name=" WIRE_NAME, "--virgl",
		"--spare=none", NULL };
	struct guest_options options = {
		.program = g_getenv("VITRINE_GPU"),
		.arguments = arguments,
		.directory = directory,
		.layout = GUEST_MEMORY_SPREAD,
		.memory_bytes = 64 << 20,
		.shape = GUEST_SHAPE_INDIRECT,
		.event_idx = true,
		.virgl = true,
		.timeout_ms = wire_ms(10000),
	};
	drm_test_reset_counts();
	local->unix_uri = g_strdup_printf("spice+unix://%s/spice", directory);
	local->tcp_uri = g_strdup_printf("spice://127.0.0.1:%u", port);
	local->guest = guest_create(&options);
	return local;
}

/*
 * Is shared by most tests, since they leave a desktop as they found it and starting one takes
 * longer than they do.
 */
static struct local *shared_desktop;

static struct local *local_shared(void)
{
	if (!shared_desktop)
		shared_desktop = local_create();
	return shared_desktop;
}

static void local_destroy(struct local *local)
{
	guest_destroy(local->guest);
	g_free(local->unix_uri);
	g_free(local->tcp_uri);
	g_free(local);
}

/* Shows the picture on head 0 in a new resource; the one shown before goes. */
static void show(
	struct local *local, uint32_t format, const uint32_t *raw, uint32_t width, uint32_t height)
{
	struct guest *guest = local->guest;
	uint32_t id = local->shown == 100 ? 101 : 100;
	guest_rect all = { 0, 0, width, height };
	struct virtio_gpu_box box = { 0, 0, 0, width, height, 1 };
	struct virtio_gpu_resource_create_3d create = { .resource_id = id,
		.target = VIRGL_TARGET_TEXTURE_2D,
		.format = format,
		.bind = BIND_SCANOUT_TARGET,
		.width = width,
		.height = height,
		.depth = 1,
		.array_size = 1 };
	wire_ok(guest_gpu_create_3d(guest, &create));
	struct guest_backing *backing =
		guest_backing_create(guest, width * height * 4, GUEST_PAGE_SIZE);
	guest_backing_write(backing, 0, raw, width * height * 4);
	wire_ok(guest_backing_attach(backing, id));
	wire_ok(guest_gpu_transfer_3d(
		guest, VIRTIO_GPU_CMD_TRANSFER_TO_HOST_3D, 0, id, box, 0, width * 4));
	wire_ok(guest_gpu_set_scanout(guest, 0, id, all));
	wire_ok(guest_gpu_flush(guest, id, all));
	if (local->shown)
		wire_ok(guest_gpu_unref(guest, local->shown));
	local->shown = id;
	wire_ok(guest_gpu_detach_backing(guest, id));
	guest_backing_free(backing);
}

/* Shows noise; returns its pixels, which the caller frees. */
static uint32_t *show_noise(struct local *local, uint32_t seed, uint32_t width, uint32_t height)
{
	uint32_t *pixels = wire_noise(seed, width * height);
	show(local, VIRGL_FORMAT_B8G8R8X8, pixels, width, height);
	return pixels;
}

/* ---- its client ---- */

struct client {
	GSubprocess *process;
	GDataInputStream *output;
	char *file;
};

static struct client *client_connect(const char *uri)
{
	g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
		G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE);
	g_autoptr(GError) error = NULL;
	struct client *client = g_new0(struct client, 1);
	g_subprocess_launcher_unsetenv(launcher, "LD_PRELOAD");
	/*
	 * We hide GStreamer's plugins: looking at them all takes a minute in the VM, and no video
	 * is played here.
	 */
	g_subprocess_launcher_setenv(launcher, "GST_PLUGIN_SYSTEM_PATH_1_0", "/nonexistent", TRUE);
	client->process = g_subprocess_launcher_spawn(
		launcher, &error, g_getenv("GL_CLIENT"), g_getenv("WIRE_RENDER_NODE"), uri, NULL);
	g_assert_no_error(error);
	client->output = g_data_input_stream_new(g_subprocess_get_stdout_pipe(client->process));
	client->file = g_build_filename(g_get_tmp_dir(), "gl-client-picture", NULL);
	return client;
}

static void client_leave(struct client *client)
{
	g_output_stream_close(g_subprocess_get_stdin_pipe(client->process), NULL, NULL);
	g_subprocess_wait(client->process, NULL, NULL);
	g_object_unref(client->output);
	g_object_unref(client->process);
	g_free(client->file);
	g_free(client);
}

/* Sends a line and returns the answer, which the caller frees. */
static char *G_GNUC_PRINTF(2, 3) client_say(struct client *client, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *line = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_autofree char *whole = g_strconcat(line, "\n", NULL);
	g_output_stream_write_all(g_subprocess_get_stdin_pipe(client->process), whole,
		strlen(whole), NULL, NULL, NULL);
	char *answer = g_data_input_stream_read_line(client->output, NULL, NULL, NULL);
	if (!answer)
		g_error("the client ended at: %s", line);
	return answer;
}

static bool same_colours(const uint32_t *a, const uint32_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if ((a[i] ^ b[i]) & 0xffffff)
			return false;
	}
	return true;
}

/* Waits until the client shows exactly these pixels, by the way named ("gl" or "2d"). */
static bool client_shows(struct client *client, const char *way, const uint32_t *pixels,
	uint32_t width, uint32_t height)
{
	gint64 end = g_get_monotonic_time() + wire_ms(6000) * 1000;
	g_autofree char *want = g_strdup_printf("%s %u %u", way, width, height);
	g_autofree char *answer = NULL;
	bool same = false;
	do {
		g_autofree char *contents = NULL;
		gsize size = 0;
		g_free(client_say(client, "drain"));
		g_usleep(5000);
		g_free(answer);
		answer = client_say(client, "save %s", client->file);
		g_file_get_contents(client->file, &contents, &size, NULL);
		same = g_str_equal(answer, want) && size == (gsize)width * height * 4 &&
		       same_colours((const uint32_t *)contents, pixels, (size_t)width * height);
	} while (!same && g_get_monotonic_time() < end);
	if (!same)
		g_printerr("# the client answers \"%s\" instead of \"%s\", or its pixels differ\n",
			answer, want);
	return same;
}

static void expect(struct client *client, const char *answer, const char *line, int timeout_ms)
{
	g_autofree char *got = client_say(client, "%s %d", line, wire_ms(timeout_ms));
	if (!g_str_has_prefix(got, answer))
		g_error("%s: \"%s\" instead of \"%s\"", line, got, answer);
}

/* ---- tests ---- */

static void test_exact(void)
{
	struct local *local = local_shared();
	g_free(show_noise(local, 0, WIDTH, HEIGHT));
	struct client *client = client_connect(local->unix_uri);
	expect(client, "gl", "wait-gl", 10000);
	for (uint32_t seed = 1; seed <= 20; seed++) {
		g_autofree uint32_t *pixels = show_noise(local, seed, WIDTH, HEIGHT);
		g_assert_true(client_shows(client, "gl", pixels, WIDTH, HEIGHT));
	}
	for (uint32_t seed = 21; seed <= 26; seed++) {
		uint32_t width = 100 + seed * 7, height = 64 + seed * 3;
		g_autofree uint32_t *pixels = show_noise(local, seed, width, height);
		g_assert_true(client_shows(client, "gl", pixels, width, height));
	}
	client_leave(client);
}

static void test_scene(void)
{
	struct local *local = local_shared();
	g_autofree uint32_t *expected = g_new(uint32_t, SCENE3D_WIDTH * SCENE3D_HEIGHT);
	guest_rect all = { 0, 0, SCENE3D_WIDTH, SCENE3D_HEIGHT };
	struct client *client = client_connect(local->unix_uri);
	for (int y_0_top = 0; y_0_top < 2; y_0_top++) {
		struct scene3d *scene = scene3d_create(local->guest, 10, y_0_top);
		for (uint32_t seed = 1; seed <= 3; seed++) {
			wire_ok(scene3d_draw(scene, seed));
			wire_ok(guest_gpu_set_scanout(local->guest, 0, 10, all));
			wire_ok(guest_gpu_flush(local->guest, 10, all));
			scene3d_expect(seed, y_0_top, expected);
			g_assert_true(client_shows(
				client, "gl", expected, SCENE3D_WIDTH, SCENE3D_HEIGHT));
		}
		scene3d_destroy(scene, false);
	}
	client_leave(client);
}

/* Each format comes as one of its own that a client can import, with 10 bits a channel too. */
static void test_formats(void)
{
	struct local *local = local_shared();
	struct client *client = client_connect(local->unix_uri);
	for (unsigned f = 0; f < DRM_TEST_FORMATS; f++) {
		const struct drm_test_format *format = &drm_test_formats[f];
		g_autofree uint32_t *pixels = wire_noise(80 + f, WIDTH * HEIGHT);
		g_autofree uint32_t *raw = g_new(uint32_t, WIDTH * HEIGHT);
		for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
			raw[i] = format->pack(pixels[i] & 0xffffff);
		show(local, format->virgl_format, raw, WIDTH, HEIGHT);
		if (!client_shows(client, "gl", pixels, WIDTH, HEIGHT))
			g_error("%s arrives wrong", format->name);
	}
	client_leave(client);
}

/* A remote client takes the local one's place, and the other way round. */
static void test_remote(void)
{
	struct local *local = local_shared();
	g_autofree uint32_t *pixels = show_noise(local, 0, WIDTH, HEIGHT);
	for (int round = 0; round < 3; round++) {
		struct client *near = client_connect(local->unix_uri);
		expect(near, "gl", "wait-gl", 10000);
		g_assert_true(client_shows(near, "gl", pixels, WIDTH, HEIGHT));
		struct client *far = client_connect(local->tcp_uri);
		expect(far, "2d", "wait-2d", 10000);
		g_assert_true(client_shows(far, "2d", pixels, WIDTH, HEIGHT));
		client_leave(near);
		g_free(pixels);
		pixels = show_noise(local, 1 + round, WIDTH, HEIGHT);
		g_assert_true(client_shows(far, "2d", pixels, WIDTH, HEIGHT));
		client_leave(far);
	}
}

/*
 * A client that never acknowledges is shown ordinary pictures, and a remote one is let in all the
 * same.
 */
static void test_stall(void)
{
	struct local *local = local_shared();
	g_free(show_noise(local, 0, WIDTH, HEIGHT));
	struct client *client = client_connect(local->unix_uri);
	expect(client, "gl", "wait-gl", 10000);
	g_free(client_say(client, "ack off"));
	g_free(show_noise(local, 1, WIDTH, HEIGHT));
	g_free(show_noise(local, 2, WIDTH, HEIGHT));
	gint64 start = g_get_monotonic_time();
	expect(client, "2d", "wait-2d", 5000);
	g_test_message("ordinary pictures after %" G_GINT64_FORMAT " ms",
		(g_get_monotonic_time() - start) / 1000);
	g_autofree uint32_t *pixels = show_noise(local, 3, WIDTH, HEIGHT);
	g_assert_true(client_shows(client, "2d", pixels, WIDTH, HEIGHT));
	struct client *far = client_connect(local->tcp_uri);
	expect(far, "2d", "wait-2d", 10000);
	g_assert_true(client_shows(far, "2d", pixels, WIDTH, HEIGHT));
	client_leave(client);
	client_leave(far);
	/* After that the next local client gets dma-bufs again. */
	client = client_connect(local->unix_uri);
	expect(client, "gl", "wait-gl", 10000);
	g_assert_true(client_shows(client, "gl", pixels, WIDTH, HEIGHT));
	client_leave(client);
}

/*
 * A picture that is drawn while display has the last one in memory still to show is drawn beside
 * it, and both stay until the head is off. So descriptors are counted then. Returns how many there
 * were until then: on a busy machine that is a matter of time.
 */
static unsigned turn_off(struct local *local, pid_t renderer)
{
	uint64_t left = drm_test_buffers_left();
	g_assert_cmpuint(left, ==, 0);
	unsigned n = drm_test_count_pictures(renderer);
	wire_ok(guest_gpu_set_scanout(local->guest, 0, 0, (guest_rect){ 0 }));
	g_assert_cmpuint(drm_test_wait_pictures(renderer), ==, 0);
	return n;
}

/* Display stands still meanwhile, and shows nothing. */
static void draw_beside(struct local *local, pid_t renderer, pid_t display)
{
	kill(display, SIGSTOP);
	for (uint32_t i = 1; i <= 50 && drm_test_count_pictures(renderer) < 2; i++) {
		g_free(show_noise(local, i, 64, 64));
		g_usleep(100000);
	}
	kill(display, SIGCONT);
}

/*
 * Rows of 1366 pixels are padded, as another GPU than the one that drew needs them. virtio-gpu's
 * driver cannot read such rows back, so that the layout is left to it there.
 */
static void test_width(void)
{
	struct local *local = local_shared();
	unsigned width = 0, height = 0, stride_bytes = 0;
	g_autofree uint32_t *pixels = show_noise(local, 5, ODD_WIDTH, ODD_HEIGHT);
	struct client *client = client_connect(local->unix_uri);
	g_autofree char *answer = client_say(client, "wait-gl %d", wire_ms(10000));
	g_test_message("%s", answer);
	g_assert_cmpint(sscanf(answer, "gl %u %u %*s %u", &width, &height, &stride_bytes), ==, 3);
	g_assert_cmpuint(width, ==, ODD_WIDTH);
	if (backend_count_log(
		    local->guest->backend, "with modifier 0x0 and padded rows are not used") == 0)
		g_assert_cmpuint(stride_bytes % 256, ==, 0);
	g_assert_true(client_shows(client, "gl", pixels, ODD_WIDTH, ODD_HEIGHT));
	client_leave(client);
}

/*
 * A driver has less than buffers need: the client gets the right picture, as a dma-buf only where
 * one is left that it can read.
 */
static void test_lack(const void *data)
{
	const struct lack *lack = data;
	g_setenv("GBM_SHIM_FAULT", lack->fault, TRUE);
	struct local *local = local_create();
	g_autofree char *wait = g_strdup_printf("wait-%s", lack->way);
	g_free(show_noise(local, 6, ODD_WIDTH, ODD_HEIGHT));
	struct client *client = client_connect(local->unix_uri);
	expect(client, lack->way, wait, 10000);
	for (uint32_t seed = 7; seed < 10; seed++) {
		g_autofree uint32_t *pixels = show_noise(local, seed, ODD_WIDTH, ODD_HEIGHT);
		g_assert_true(client_shows(client, lack->way, pixels, ODD_WIDTH, ODD_HEIGHT));
	}
	g_assert_cmpuint(backend_count_log(local->guest->backend, lack->log), ==, 1);
	client_leave(client);
	local_destroy(local);
	g_unsetenv("GBM_SHIM_FAULT");
}

static unsigned count_clients(void)
{
	return g_getenv("DRM_CLIENTS") ? (unsigned)atoi(g_getenv("DRM_CLIENTS")) : 100;
}

static void test_100_clients(void)
{
	struct local *local = local_create();
	struct backend *backend = local->guest->backend;
	pid_t renderer = backend_wait_child(backend, "vitrine-render", 0, wire_ms(5000));
	pid_t display = backend_wait_child(backend, "vitrine-display", 0, wire_ms(5000));
	unsigned n = count_clients();
	unsigned render_fds = 0, display_fds = 0, n_pictures = 0;
	g_autofree uint32_t *pixels = show_noise(local, 0, 64, 64);
	struct client *client = client_connect(local->unix_uri);
	for (unsigned i = 0; i < 10 + n; i++) {
		bool near = i % 3 != 2;
		g_free(client_say(client, "connect %s", near ? local->unix_uri : local->tcp_uri));
		expect(client, near ? "gl" : "2d", near ? "wait-gl" : "wait-2d", 10000);
		if (i % 10 == 0)
			g_assert_true(client_shows(client, near ? "gl" : "2d", pixels, 64, 64));
		if (i == 9) {
			g_free(client_say(client, "leave"));
			n_pictures = turn_off(local, renderer);
			render_fds = drm_test_count_fds(renderer);
			display_fds = drm_test_count_fds(display);
			g_free(show_noise(local, 0, 64, 64));
		}
	}
	g_free(client_say(client, "connect %s", local->tcp_uri));
	expect(client, "2d", "wait-2d", 10000);
	draw_beside(local, renderer, display);
	client_leave(client);
	unsigned n_pictures_after = turn_off(local, renderer);
	unsigned render_after = drm_test_wait_fds(renderer, render_fds);
	unsigned display_after = drm_test_wait_fds(display, display_fds);
	g_test_message(
		"%u clients: renderer %u descriptors before, %u after, and %u and %u pictures "
		"in memory; display %u, %u; %" G_GUINT64_FORMAT " GBM buffers came and went",
		n, render_fds, render_after, n_pictures, n_pictures_after, display_fds,
		display_after, drm_test_buffers_made());
	g_assert_cmpuint(drm_test_buffers_made(), >=, n / 2);
	g_assert_cmpuint(n_pictures_after, >=, 2);
	g_assert_cmpuint(render_after, <=, render_fds);
	g_assert_cmpuint(display_after, <=, display_fds);
	local_destroy(local);
}

void local_tests_add(void)
{
	g_test_add_func("/local/exact", test_exact);
	g_test_add_func("/local/scene", test_scene);
	g_test_add_func("/local/formats", test_formats);
	g_test_add_func("/local/remote", test_remote);
	g_test_add_func("/local/stall", test_stall);
	g_test_add_func("/local/width", test_width);
	unsigned n = count_clients() < 100 ? LACKS_SHORT : G_N_ELEMENTS(lacks);
	for (unsigned i = 0; i < n; i++) {
		g_autofree char *name = g_strdup_printf("/local/lack/%s", lacks[i].fault);
		g_test_add_data_func(name, &lacks[i], test_lack);
	}
	g_test_add_func("/local/100-clients", test_100_clients);
}

void local_tests_end(void)
{
	g_clear_pointer(&shared_desktop, local_destroy);
}
