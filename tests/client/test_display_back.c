/* SPDX-License-Identifier: MIT */
/*
 * display-back [--kills=N] [--stock] kills a desktop's display by SIGKILL, N times (20), while the
 * guest shows a picture. Keeper, renderer and display are real. It checks two things.
 *
 * How soon somebody who connects the moment after is answered: "answered" is the first byte of the
 * reply to SPICE's link message, on TCP, with a password. The listening socket is the keeper's, so
 * connecting always works, and only a display that works says this byte. Half of the kills come
 * soon after the display before was ready, half when all that it does at its start is over.
 *
 * And how soon `vitrine connect` shows a picture again that was drawn after the kill: its viewer
 * ends with the connection and is started again. The viewer is viewer.py; with --stock it is
 * remote-viewer, on a screen of Xvfb's, where that is looked for. That a viewer that somebody
 * closed is not started again is checked, too.
 *
 * Beside other tests no time is judged (STUCK_MS); with --limit=MS the 95th percentile of the first
 * is, and with --picture-limit=MS of the second.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/listen.h"
#include "tests/bench/samples.h"
#include "tests/client/certificate.h"
#include "tests/client/client.h"
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
#define LOOK_US 2000
#define REPLACED_MS 3000
/* So often at most display is changed under a client of each kind. */
#define WAYS_MAX 10
#define NAME "work"
/* The screen of Xvfb's, of 4 bytes a pixel. */
#define SCREEN_WIDTH 1024
#define SCREEN_HEIGHT 768
/* So many pixels of a colour are the guest's picture. */
#define PICTURE_PIXELS (SIDE * SIDE / 2)

static int n_kills = 20, limit_ms, picture_limit_ms;
static bool is_stock;

/* Where clients come to. */
enum way { WAY_TCP, WAY_TLS, WAY_UNIX };

struct desktop_parts {
	enum way way;
	struct guest *guest;
	struct guest_backing *backing;
	char *folder; /* XDG_RUNTIME_DIR of `vitrine connect` */
	char *run_dir, *password_path, *wanted_path, *seen_path;
	char *certificate_path; /* of WAY_TLS */
	int run_dir_fd;
	unsigned port;
	uint32_t color;
};

/* ---- the desktop ---- */

/* What `vitrine run` would have made: locked, with the desktop as it is in force. */
static void make_run_dir(struct desktop_parts *parts)
{
	parts->folder = g_dir_make_tmp("vitrine-back-XXXXXX", NULL);
	g_assert_nonnull(parts->folder);
	parts->run_dir = g_build_filename(parts->folder, "vitrine", NAME, NULL);
	g_assert_cmpint(g_mkdir_with_parents(parts->run_dir, 0700), ==, 0);
	parts->run_dir_fd = open(parts->run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_assert_cmpint(flock(parts->run_dir_fd, LOCK_EX | LOCK_NB), ==, 0);
	g_autofree char *path = g_build_filename(parts->run_dir, "desktop.conf", NULL);
	g_autofree char *text = g_strdup_printf("[desktop]\nname=" NAME
						"\n[spice]\nspice-addr=127.0.0.1\nspice-port=%u\n",
		parts->port);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	parts->password_path = g_build_filename(parts->folder, "password", NULL);
	g_assert_true(g_file_set_contents(parts->password_path, PASSWORD "\n", -1, NULL));
	parts->wanted_path = g_build_filename(parts->folder, "wanted", NULL);
	parts->seen_path = g_build_filename(parts->folder, "seen", NULL);
}

/* Fills the picture with the next colour; they are far from each other, and from windows'. */
static void draw(struct desktop_parts *parts)
{
	const guest_rect all = { 0, 0, SIDE, SIDE };
	g_autofree uint32_t *pixels = g_new(uint32_t, SIDE * SIDE);
	parts->color = parts->color == 0xff2010 ? 0x1020ff : 0xff2010;
	g_autofree char *text = g_strdup_printf("%06x", parts->color);
	for (unsigned i = 0; i < SIDE * SIDE; i++)
		pixels[i] = parts->color;
	g_assert_true(g_file_set_contents(parts->wanted_path, text, -1, NULL));
	guest_backing_write(parts->backing, 0, pixels, SIDE * SIDE * sizeof(*pixels));
	wire_ok(guest_gpu_transfer_2d(parts->guest, PICTURE, all, 0));
	wire_ok(guest_gpu_flush(parts->guest, PICTURE, all));
}

/* A subject that must be said in the client's own form, and no host. */
static char *make_certificate(struct desktop_parts *parts)
{
	parts->certificate_path = g_build_filename(parts->folder, "certificate", NULL);
	g_autofree char *key = g_build_filename(parts->folder, "key", NULL);
	certificate_write_for(parts->certificate_path, key, "CN=work,O=Example\\, Inc.,C=DE");
	client_trust(parts->certificate_path);
	return g_strdup_printf("--spice-tls-cert=%s", parts->certificate_path);
}

/* Fills in the options by which clients come. */
static void add_way(struct desktop_parts *parts, GPtrArray *arguments)
{
	if (parts->way == WAY_UNIX)
		g_ptr_array_add(arguments, g_strdup_printf("--spice-unix=%s/spice", parts->folder));
	else
		g_ptr_array_add(
			arguments, g_strdup_printf("--spice-%sport=%u",
					   parts->way == WAY_TLS ? "tls-" : "", parts->port));
	if (parts->way == WAY_TLS) {
		g_ptr_array_add(arguments, make_certificate(parts));
		g_ptr_array_add(
			arguments, g_strdup_printf("--spice-tls-key=%s/key", parts->folder));
	}
}

static void start(struct desktop_parts *parts)
{
	char *directory = backend_make_worker_dir();
	int fd = listen_tcp_range("127.0.0.1", FIRST_PORT, LAST_PORT, &parts->port, NULL);
	g_assert_cmpint(fd, >=, 0);
	close(fd);
	make_run_dir(parts);
	g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(arguments, g_strdup_printf("--worker-dir=%s", directory));
	g_ptr_array_add(arguments, g_strdup_printf("--password-file=%s", parts->password_path));
	g_ptr_array_add(arguments, g_strdup_printf("--ticket-socket=%s/tickets", parts->run_dir));
	g_ptr_array_add(arguments, g_strdup("--software"));
	add_way(parts, arguments);
	g_ptr_array_add(arguments, NULL);
	const struct guest_options options = { .program = g_getenv("VITRINE_GPU"),
		.arguments = (const char *const *)arguments->pdata,
		.directory = directory,
		.shape = GUEST_SHAPE_INDIRECT,
		.event_idx = true,
		.timeout_ms = PATIENCE_MS };
	const guest_rect all = { 0, 0, SIDE, SIDE };
	parts->guest = guest_create(&options);
	wire_ok(guest_gpu_create_2d(
		parts->guest, PICTURE, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, SIDE, SIDE));
	parts->backing = guest_backing_create(parts->guest, SIDE * SIDE * sizeof(uint32_t), 0);
	wire_ok(guest_backing_attach(parts->backing, PICTURE));
	wire_ok(guest_gpu_set_scanout(parts->guest, 0, PICTURE, all));
	draw(parts);
}

static void stop(struct desktop_parts *parts)
{
	guest_backing_free(parts->backing);
	guest_destroy(parts->guest);
	close(parts->run_dir_fd);
	wire_remove_directory(parts->folder);
	g_free(parts->folder);
	g_free(parts->run_dir);
	g_free(parts->password_path);
	g_free(parts->wanted_path);
	g_free(parts->seen_path);
	g_free(parts->certificate_path);
}

static pid_t kill_display(const struct desktop_parts *parts)
{
	pid_t display = backend_find_child(parts->guest->backend, "vitrine-display");
	g_assert_cmpint(display, >, 0);
	kill(display, SIGKILL);
	return display;
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
	pid_t display = kill_display(parts);
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
	stop(&parts);
}

/* ---- a screen without a person ---- */

struct screen {
	pid_t pid;
	char *folder, *name;
	const uint8_t *pixels;
	size_t size_bytes;
};

static pid_t spawn(char *const *argv)
{
	pid_t pid = fork();
	g_assert_cmpint(pid, >=, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		execvp(argv[0], argv);
		_exit(127);
	}
	return pid;
}

/* The framebuffer is a file of xwd's: a head, whose size and number of colours it says, the
 * colours, and the pixels (XWDFile.h). */
static const uint8_t *find_pixels(const uint8_t *file, size_t size_bytes)
{
	const uint32_t *words = (const uint32_t *)(const void *)file;
	size_t head_bytes = GUINT32_FROM_BE(words[0]), n_colors = GUINT32_FROM_BE(words[19]);
	size_t offset_bytes = head_bytes + n_colors * 12;
	if (size_bytes < offset_bytes + SCREEN_WIDTH * SCREEN_HEIGHT * 4)
		g_error("no screen of Xvfb's");
	return file + offset_bytes;
}

static void screen_start(struct screen *screen)
{
	int ends[2];
	screen->folder = g_dir_make_tmp("vitrine-screen-XXXXXX", NULL);
	g_assert_cmpint(pipe(ends), ==, 0);
	g_autofree char *end = g_strdup_printf("%d", ends[1]);
	g_autofree char *size = g_strdup_printf("%dx%dx24", SCREEN_WIDTH, SCREEN_HEIGHT);
	char *const argv[] = { (char *)"Xvfb", (char *)"-displayfd", end, (char *)"-screen",
		(char *)"0", size, (char *)"-fbdir", screen->folder, (char *)"-nolisten",
		(char *)"tcp", NULL };
	screen->pid = spawn(argv);
	close(ends[1]);
	char number[16] = "";
	if (read(ends[0], number, sizeof(number) - 1) <= 0)
		g_error("Xvfb does not start");
	close(ends[0]);
	screen->name = g_strdup_printf(":%s", g_strchomp(number));
	g_autofree char *path = g_build_filename(screen->folder, "Xvfb_screen0", NULL);
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	g_assert_true(fd >= 0 && fstat(fd, &st) == 0);
	screen->size_bytes = (size_t)st.st_size;
	void *map = mmap(NULL, screen->size_bytes, PROT_READ, MAP_SHARED, fd, 0);
	g_assert_true(map != MAP_FAILED);
	close(fd);
	screen->pixels = find_pixels(map, screen->size_bytes);
}

static void screen_stop(struct screen *screen)
{
	kill(screen->pid, SIGTERM);
	waitpid(screen->pid, NULL, 0);
	wire_remove_directory(screen->folder);
	g_free(screen->folder);
	g_free(screen->name);
}

static bool screen_shows(const struct screen *screen, uint32_t color)
{
	const uint32_t *pixels = (const uint32_t *)(const void *)screen->pixels;
	unsigned n = 0;
	for (unsigned i = 0; i < SCREEN_WIDTH * SCREEN_HEIGHT && n < PICTURE_PIXELS; i++)
		n += (pixels[i] & 0xffffff) == color;
	return n == PICTURE_PIXELS;
}

/* ---- vitrine connect ---- */

static pid_t start_connect(
	const struct desktop_parts *parts, const struct screen *screen, bool waits)
{
	g_autofree char *home = g_build_filename(parts->folder, "home", NULL);
	/* Called so it is believed to wait for its file on its standard input. */
	g_autofree char *path = g_build_filename(parts->folder, "remote-viewer", NULL);
	g_autofree char *viewer = g_strdup_printf("--viewer=%s", is_stock ? "remote-viewer" :
								 waits    ? path :
									    g_getenv("TEST_VIEWER"));
	if (!is_stock && waits)
		g_assert_no_errno(symlink(g_getenv("TEST_VIEWER"), path));
	char *const argv[] = { (char *)g_getenv("VITRINE"), (char *)"connect", viewer, (char *)NAME,
		NULL };
	g_setenv("XDG_RUNTIME_DIR", parts->folder, TRUE);
	g_setenv("VIEWER_WANTED", parts->wanted_path, TRUE);
	g_setenv("VIEWER_SEEN", parts->seen_path, TRUE);
	g_setenv("HOME", home, TRUE);
	if (screen->name)
		g_setenv("DISPLAY", screen->name, TRUE);
	return spawn(argv);
}

static bool is_seen(const struct desktop_parts *parts, const struct screen *screen)
{
	g_autofree char *wanted = g_strdup_printf("%06x", parts->color), *seen = NULL;
	if (is_stock)
		return screen_shows(screen, parts->color);
	return g_file_get_contents(parts->seen_path, &seen, NULL, NULL) &&
	       strcmp(seen, wanted) == 0;
}

static double await_picture_ms(
	const struct desktop_parts *parts, const struct screen *screen, gint64 begun_us)
{
	while (!is_seen(parts, screen)) {
		if (g_get_monotonic_time() - begun_us > PATIENCE_MS * 1000)
			g_error("no picture within %d ms", PATIENCE_MS);
		g_usleep(LOOK_US);
	}
	return (double)(g_get_monotonic_time() - begun_us) / 1000;
}

/* The viewer is the first of the children of `vitrine connect`; behind it one may wait. */
static pid_t find_viewer(pid_t connect)
{
	g_autofree char *path =
		g_strdup_printf("/proc/%d/task/%d/children", (int)connect, (int)connect);
	g_autofree char *text = NULL;
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return (pid_t)strtol(text, NULL, 10);
}

/* Somebody closes it, and that is all. */
static void close_viewer(pid_t connect)
{
	int status;
	g_usleep(SETTLED_MS * 1000);
	kill(find_viewer(connect), SIGTERM);
	g_assert_cmpint(waitpid(connect, &status, 0), ==, connect);
	g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_connect(gconstpointer user)
{
	struct desktop_parts parts = { 0 };
	struct screen screen = { 0 };
	struct samples back = { 0 };
	start(&parts);
	if (is_stock)
		screen_start(&screen);
	pid_t connect = start_connect(&parts, &screen, true);
	double first_ms = await_picture_ms(&parts, &screen, g_get_monotonic_time());
	for (int i = 0; i < n_kills; i++) {
		g_usleep(SETTLED_MS * 1000);
		gint64 begun_us = g_get_monotonic_time();
		kill_display(&parts);
		draw(&parts);
		samples_add(&back, await_picture_ms(&parts, &screen, begun_us));
	}
	double p95_ms = samples_quantile(&back, 0.95);
	printf("# display killed %d times under %s: the picture is there after %.0f ms, and again "
	       "after p50 %.0f ms, p95 %.0f, at most %.0f\n",
		n_kills, is_stock ? "remote-viewer" : "viewer.py", first_ms,
		samples_quantile(&back, 0.5), p95_ms, samples_quantile(&back, 1));
	if (picture_limit_ms > 0)
		g_assert_cmpfloat(p95_ms, <=, picture_limit_ms);
	close_viewer(connect);
	if (!is_stock) {
		connect = start_connect(&parts, &screen, false);
		draw(&parts);
		await_picture_ms(&parts, &screen, g_get_monotonic_time());
		kill_display(&parts);
		draw(&parts);
		await_picture_ms(&parts, &screen, g_get_monotonic_time());
		close_viewer(connect);
	}
	if (is_stock)
		screen_stop(&screen);
	samples_finish(&back);
	stop(&parts);
}

/*
 * A change of display that is planned: clients come again by SPICE's host switch, and nobody starts
 * a viewer again. Its window stays as it is; what it shows is away for a moment.
 */
static void test_switch(gconstpointer user)
{
	struct desktop_parts parts = { 0 };
	struct screen screen = { 0 };
	struct samples back = { 0 };
	start(&parts);
	screen_start(&screen);
	pid_t connect = start_connect(&parts, &screen, true);
	await_picture_ms(&parts, &screen, g_get_monotonic_time());
	pid_t viewer = find_viewer(connect);
	for (int i = 0; i < n_kills; i++) {
		g_usleep(SETTLED_MS * 1000);
		pid_t display = backend_find_child(parts.guest->backend, "vitrine-display");
		gint64 begun_us = g_get_monotonic_time();
		kill(parts.guest->backend->pid, SIGUSR1);
		backend_wait_child(
			parts.guest->backend, "vitrine-display", display, wire_ms(PATIENCE_MS));
		draw(&parts);
		samples_add(&back, await_picture_ms(&parts, &screen, begun_us));
		g_assert_cmpint(find_viewer(connect), ==, viewer);
	}
	printf("# display changed %d times under remote-viewer: a new picture is there after p50 "
	       "%.0f ms, p95 "
	       "%.0f, at most %.0f\n",
		n_kills, samples_quantile(&back, 0.5), samples_quantile(&back, 0.95),
		samples_quantile(&back, 1));
	/* `vitrine connect` takes the end of a viewer that is sooner for display's. */
	g_usleep(REPLACED_MS * 1000);
	kill(viewer, SIGTERM);
	g_assert_cmpint(waitpid(connect, NULL, 0), ==, connect);
	screen_stop(&screen);
	samples_finish(&back);
	stop(&parts);
}

/*
 * Waits until the client has been sent on so many times, and shows what was drawn last. In between
 * it is not connected.
 */
static void await_client(const struct desktop_parts *parts, struct client *client, int switches)
{
	gint64 end_us = g_get_monotonic_time() + PATIENCE_MS * 1000;
	bool is_there = false;
	while (!is_there) {
		g_autofree char *shown =
			client_ask(client, "wait-pixel 9 9 %06x 100 0", parts->color);
		g_autofree char *status = client_run(client, "status");
		is_there = answer_is_ok(shown) && answer_int(status, "switches") == switches;
		if (g_get_monotonic_time() > end_us)
			g_error("no picture within %d ms: %s, %s", PATIENCE_MS, shown, status);
		g_usleep(LOOK_US);
	}
}

/*
 * The same with a stock client library, wherever its user came to: in TLS it checks the certificate
 * by the subject that it is told, and on a unix socket it goes to that again.
 */
static void test_ways(gconstpointer user)
{
	struct desktop_parts parts = { .way = (enum way)GPOINTER_TO_UINT(user) };
	start(&parts);
	g_autofree char *address =
		parts.way == WAY_UNIX ?
			g_strdup_printf("--unix=%s/spice", parts.folder) :
			g_strdup_printf("spice://127.0.0.1%s%u",
				parts.way == WAY_TLS ? "?tls-port=" : ":", parts.port);
	struct client *client = client_new(address, PASSWORD);
	g_assert_true(client_is_connected(client));
	await_client(&parts, client, 0);
	for (int i = 1; i <= MIN(n_kills, WAYS_MAX); i++) {
		pid_t display = backend_find_child(parts.guest->backend, "vitrine-display");
		kill(parts.guest->backend->pid, SIGUSR1);
		backend_wait_child(
			parts.guest->backend, "vitrine-display", display, wire_ms(PATIENCE_MS));
		draw(&parts);
		await_client(&parts, client, i);
	}
	client_free(client);
	client_trust(NULL);
	stop(&parts);
}

static void parse(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (g_str_has_prefix(argv[i], "--kills="))
			n_kills = atoi(argv[i] + strlen("--kills="));
		if (g_str_has_prefix(argv[i], "--limit="))
			limit_ms = atoi(argv[i] + strlen("--limit="));
		if (g_str_has_prefix(argv[i], "--picture-limit="))
			picture_limit_ms = atoi(argv[i] + strlen("--picture-limit="));
		is_stock |= strcmp(argv[i], "--stock") == 0;
	}
}

int main(int argc, char **argv)
{
	wire_init(&argc, &argv);
	parse(argc, argv);
	if (is_stock &&
		(!g_find_program_in_path("Xvfb") || !g_find_program_in_path("remote-viewer")))
		return wire_skip_all("there is no Xvfb or no remote-viewer");
	if (!is_stock) {
		g_test_add_data_func("/display-back/kills", NULL, test_kills);
		g_test_add_data_func(
			"/display-back/switch-tcp", GUINT_TO_POINTER(WAY_TCP), test_ways);
		g_test_add_data_func(
			"/display-back/switch-tls", GUINT_TO_POINTER(WAY_TLS), test_ways);
		g_test_add_data_func(
			"/display-back/switch-unix", GUINT_TO_POINTER(WAY_UNIX), test_ways);
	}
	g_test_add_data_func("/display-back/connect", NULL, test_connect);
	if (is_stock)
		g_test_add_data_func("/display-back/switch", NULL, test_switch);
	return g_test_run();
}
