/* SPDX-License-Identifier: MIT */
/*
 * display-back [--kills=N] kills a desktop's display by SIGKILL, N times (20), and checks how soon
 * somebody who connects the moment after is answered: keeper, renderer and display are real. The
 * guest shows a picture, and nobody else is connected.
 *
 * "Answered" is the first byte of the reply to SPICE's link message, on TCP, with a password: the
 * listening socket is the keeper's, so connecting always works, and only a display that works says
 * this byte. Half of the kills come soon after the display before was ready, half when all that it
 * does at its start is over.
 *
 * Beside other tests no time is judged (STUCK_MS); with --limit=MS the 95th percentile is.
 */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/listen.h"
#include "tests/bench/samples.h"
#include "tests/client/link_by_hand.h"
#include "tests/wire/wire.h"

#include <spice/enums.h>

#define SIDE 256
#define PICTURE 1
#define PASSWORD "correct horse"
#define FIRST_PORT 27300
#define LAST_PORT 27399
#define PATIENCE_MS 20000
#define STUCK_MS 5000
#define SETTLED_MS 1500
#define SOON_MS 100

static int n_kills = 20, limit_ms;

struct desktop_parts {
	struct guest *guest;
	char *password_path;
	unsigned port;
};

/* ---- the desktop ---- */

static char *make_worker_dir(void)
{
	static const char *const names[][2] = { { "vitrine-render", "VITRINE_RENDER" },
		{ "vitrine-display", "VITRINE_DISPLAY" } };
	char *directory = backend_directory_create();
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(directory, names[i][0], NULL);
		const char *program = g_getenv(names[i][1]);
		if (!program || symlink(program, path) < 0)
			g_error("%s is not set: run by meson", names[i][1]);
	}
	return directory;
}

static void start(struct desktop_parts *parts)
{
	char *directory = make_worker_dir();
	int fd = listen_tcp_range("127.0.0.1", FIRST_PORT, LAST_PORT, &parts->port, NULL);
	g_assert_cmpint(fd, >=, 0);
	close(fd);
	parts->password_path = g_build_filename(directory, "password", NULL);
	g_assert_true(g_file_set_contents(parts->password_path, PASSWORD "\n", -1, NULL));
	g_autofree char *workers = g_strdup_printf("--worker-dir=%s", directory);
	g_autofree char *port = g_strdup_printf("--spice-port=%u", parts->port);
	g_autofree char *password = g_strdup_printf("--password-file=%s", parts->password_path);
	const char *arguments[] = { workers, port, password, "--software", NULL };
	const struct guest_options options = { .program = g_getenv("VITRINE_GPU"),
		.arguments = arguments,
		.directory = directory,
		.shape = GUEST_SHAPE_INDIRECT,
		.event_idx = true,
		.timeout_ms = PATIENCE_MS };
	const guest_rect all = { 0, 0, SIDE, SIDE };
	parts->guest = guest_create(&options);
	wire_ok(guest_gpu_create_2d(
		parts->guest, PICTURE, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, SIDE, SIDE));
	wire_ok(guest_gpu_set_scanout(parts->guest, 0, PICTURE, all));
	wire_ok(guest_gpu_flush(parts->guest, PICTURE, all));
}

/* ---- a stranger who comes ---- */

/* Gives the time until the first byte of an answer, from before it connects. */
static gint64 call_us(const struct desktop_parts *parts)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)parts->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
	uint8_t message[LINK_BY_HAND_BYTES], byte;
	link_by_hand_message(message, SPICE_CHANNEL_MAIN, 0);
	gint64 begin_us = g_get_monotonic_time();
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		send(fd, message, sizeof(message), MSG_NOSIGNAL) != sizeof(message) ||
		recv(fd, &byte, 1, 0) != 1)
		g_error("no answer: %s", g_strerror(errno));
	close(fd);
	return g_get_monotonic_time() - begin_us;
}

/* Returns whether the process was there already, among these children. */
static bool was_there(const GArray *children, pid_t pid)
{
	for (guint i = 0; i < children->len; i++) {
		if (g_array_index(children, pid_t, i) == pid)
			return true;
	}
	return false;
}

/* Returns how long somebody waits who comes when display is killed, in milliseconds. */
static double kill_ms(const struct desktop_parts *parts, bool is_first, bool is_settled)
{
	struct backend *backend = parts->guest->backend;
	g_usleep((is_settled ? SETTLED_MS : SOON_MS) * 1000);
	g_autoptr(GArray) children = backend_list_children(backend);
	pid_t display = backend_find_child(backend, "vitrine-display");
	g_assert_cmpint(display, >, 0);
	kill(display, SIGKILL);
	double ms = (double)call_us(parts) / 1000;
	pid_t next = backend_find_child(backend, "vitrine-display");
	g_assert_cmpint(next, !=, display);
	/* From the second one on a spare one has been waiting. */
	if (is_settled)
		g_assert_cmpint(was_there(children, next), ==, !is_first);
	return ms;
}

static void test_kills(gconstpointer user)
{
	struct desktop_parts parts = { 0 };
	struct samples answered = { 0 };
	start(&parts);
	call_us(&parts);
	for (int i = 0; i < n_kills; i++) {
		double ms = kill_ms(&parts, i == 0, i % 2 == 0);
		samples_add(&answered, ms);
		g_assert_cmpfloat(ms, <, wire_ms(STUCK_MS));
	}
	double p95_ms = samples_quantile(&answered, 0.95);
	printf("# display killed %d times: answered after p50 %.0f ms, p95 %.0f, at most %.0f\n",
		n_kills, samples_quantile(&answered, 0.5), p95_ms, samples_quantile(&answered, 1));
	if (limit_ms > 0)
		g_assert_cmpfloat(p95_ms, <=, limit_ms);
	samples_finish(&answered);
	guest_destroy(parts.guest);
	g_free(parts.password_path);
}

static void parse(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (g_str_has_prefix(argv[i], "--kills="))
			n_kills = atoi(argv[i] + strlen("--kills="));
		if (g_str_has_prefix(argv[i], "--limit="))
			limit_ms = atoi(argv[i] + strlen("--limit="));
	}
}

int main(int argc, char **argv)
{
	wire_init(&argc, &argv);
	parse(argc, argv);
	g_test_add_data_func("/display-back/kills", NULL, test_kills);
	return g_test_run();
}
