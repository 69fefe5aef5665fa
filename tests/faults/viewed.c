/* SPDX-License-Identifier: MIT */
/*
 * viewed: a piece of a desktop's life with the real display, a stock client that looks and types,
 * and QEMU's monitor and D-Bus display played (fake_qemu). The client comes by plain TCP with a
 * password and sees a film; then display is killed, and it comes by TLS with a name; then the
 * renderer is killed under it. Each time all of the picture must be right, and a key must arrive.
 *
 * Whoever is cut off connects again, as a person would.
 */
#include <signal.h>
#include <stdio.h>
#include <glib-unix.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/listen.h"
#include "tests/client/canvas.h"
#include "tests/client/certificate.h"
#include "tests/client/client.h"
#include "tests/client/fake_qemu.h"
#include "tests/faults/outcome.h"
#include "tests/wire/wire.h"

#define WIDTH 640
#define HEIGHT 480
#define PICTURE 1
/* Several sessions may run at once, each with ports of its own. */
#define FIRST_PORT 27400
#define PORTS_EACH 4
#define SESSIONS_MAX 100
#define PASSWORD "correct horse"
#define NAME "alice"
#define SEEN_MS 5000
#define FRAMES 45
#define FRAMES_PER_S 30
#define KEY_A 30
#define SOUND_STREAM 1

static const struct rect film = { 40, 40, 480, 320 };

static struct guest *guest;
static struct guest_backing *backing;
static struct canvas canvas;
static struct client *client;
static struct fake_qemu qemu;
static GMainContext *qemu_context;
static unsigned port, tls_port;
static bool in_tls;
static uint32_t seed;

/* ---- QEMU ---- */

static int passed_fd = -1;

/* Answers everything, and serves who is added by the descriptor that came before. */
static void answer_monitor(int fd, const char *line)
{
	static const char answer[] = "{\"return\":{}}\n";
	if (strstr(line, "\"add_client\"") && passed_fd >= 0) {
		fake_qemu_hang_up(&qemu);
		fake_qemu_serve(&qemu, passed_fd);
		passed_fd = -1;
	}
	if (strstr(line, "\"execute\""))
		send(fd, answer, strlen(answer), MSG_NOSIGNAL);
}

static gboolean on_monitor(gint fd, GIOCondition condition, gpointer user)
{
	char line[4096], control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { .iov_base = line, .iov_len = sizeof(line) - 1 };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	if (n <= 0) {
		close(fd);
		return G_SOURCE_REMOVE;
	}
	line[n] = '\0';
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_type == SCM_RIGHTS) {
		if (passed_fd >= 0)
			close(passed_fd);
		memcpy(&passed_fd, CMSG_DATA(c), sizeof(int));
	}
	answer_monitor(fd, line);
	return G_SOURCE_CONTINUE;
}

static void watch_fd(int fd, GUnixFDSourceFunc call)
{
	GSource *source = g_unix_fd_source_new(fd, G_IO_IN);
	g_source_set_callback(source, G_SOURCE_FUNC(call), NULL, NULL);
	g_source_attach(source, qemu_context);
	g_source_unref(source);
}

static gboolean on_monitor_caller(gint fd, GIOCondition condition, gpointer user)
{
	static const char greeting[] = "{\"QMP\":{\"version\":{},\"capabilities\":[]}}\n";
	int caller = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (caller < 0)
		return G_SOURCE_CONTINUE;
	send(caller, greeting, strlen(greeting), MSG_NOSIGNAL);
	watch_fd(caller, on_monitor);
	return G_SOURCE_CONTINUE;
}

static gpointer qemu_thread(gpointer user)
{
	g_main_context_push_thread_default(qemu_context);
	for (;;)
		g_main_context_iteration(qemu_context, TRUE);
	return NULL;
}

static void start_qemu(const char *path)
{
	qemu_context = g_main_context_new();
	fake_qemu_init(&qemu);
	int listener = listen_unix(path, NULL);
	g_assert_cmpint(listener, >=, 0);
	watch_fd(listener, on_monitor_caller);
	g_thread_unref(g_thread_new("qemu", qemu_thread, NULL));
}

/* ---- the desktop ---- */

static unsigned find_port(unsigned first)
{
	unsigned found;
	unsigned last = FIRST_PORT + SESSIONS_MAX * PORTS_EACH - 1;
	int fd = listen_tcp_range("127.0.0.1", first, last, &found, NULL);
	g_assert_cmpint(fd, >=, 0);
	close(fd);
	return found;
}

static void write_file(const char *path, const char *text)
{
	g_assert_true(
		g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

static void start_desktop(void)
{
	char *directory = backend_make_worker_dir();
	g_autofree char *monitor = g_build_filename(directory, "qmp", NULL);
	/* Clients are told of it for as long as there are any. */
	char *certificate = g_build_filename(directory, "certificate", NULL);
	g_autofree char *key = g_build_filename(directory, "key", NULL);
	g_autofree char *users = g_build_filename(directory, "users", NULL);
	g_autofree char *password = g_build_filename(directory, "password", NULL);
	port = find_port(FIRST_PORT + (unsigned)getpid() % SESSIONS_MAX * PORTS_EACH);
	tls_port = find_port(port + 1);
	certificate_write(certificate, key);
	write_file(users, NAME ":" PASSWORD "\n");
	write_file(password, PASSWORD "\n");
	client_trust(certificate);
	start_qemu(monitor);
	const char *arguments[] = { g_strdup_printf("--worker-dir=%s", directory),
		g_strdup_printf("--spice-port=%u", port),
		g_strdup_printf("--spice-tls-port=%u", tls_port),
		g_strdup_printf("--spice-tls-cert=%s", certificate),
		g_strdup_printf("--spice-tls-key=%s", key),
		g_strdup_printf("--users-file=%s", users),
		g_strdup_printf("--password-file=%s", password),
		g_strdup_printf("--qmp=%s", monitor), "--software", "--spare=none",
		"--name=" WIRE_NAME, NULL };
	const struct guest_options options = { .program = g_getenv("VITRINE_GPU"),
		.arguments = arguments,
		.directory = directory,
		.shape = GUEST_SHAPE_INDIRECT,
		.event_idx = true,
		.timeout_ms = wire_ms(8000) };
	guest = guest_create(&options);
	canvas_init(&canvas, WIDTH, HEIGHT);
	backing = guest_backing_create(guest, (size_t)WIDTH * HEIGHT * 4, 0);
}

static bool show_head(uint32_t number)
{
	const guest_rect all = { 0, 0, WIDTH, HEIGHT };
	wire_ok(guest_gpu_create_2d(
		guest, PICTURE, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, WIDTH, HEIGHT));
	wire_ok(guest_backing_attach(backing, PICTURE));
	wire_ok(guest_gpu_set_scanout(guest, 0, PICTURE, all));
	return true;
}

static void reload(void)
{
	guest_driver_reload(guest);
}

/* A renderer that is replaced meanwhile may answer with an error; the next picture makes up. */
static void show(struct rect rect)
{
	const guest_rect part = { rect.x, rect.y, rect.width, rect.height };
	guest_backing_write(backing, 0, canvas.pixels, (size_t)WIDTH * HEIGHT * 4);
	guest_gpu_transfer_2d(guest, PICTURE, part, ((size_t)rect.y * WIDTH + rect.x) * 4);
	guest_gpu_flush(guest, PICTURE, part);
}

/* ---- the client ---- */

static void come(void)
{
	g_autofree char *address =
		in_tls ? g_strdup_printf("spice://127.0.0.1?tls-port=%u", tls_port) :
			 g_strdup_printf("spice://127.0.0.1:%u", port);
	client_call(in_tls ? NAME : NULL);
	client = client_new_idle(address, PASSWORD);
	client_be_brief(client);
	g_free(client_ask(client, "reconnect"));
}

static void leave(void)
{
	g_clear_pointer(&client, client_free);
}

/* Whoever waits for a picture that does not come connects again. */
static void come_again(void)
{
	leave();
	come();
}

static bool sees_all(void)
{
	g_autofree char *hash = canvas_hash(&canvas, canvas_all(&canvas));
	g_autofree char *size = client_ask(client, "wait-size %u %u %d", WIDTH, HEIGHT, SEEN_MS);
	g_autofree char *answer =
		client_ask(client, "wait-hash 0 0 %u %u %s %d", WIDTH, HEIGHT, hash, SEEN_MS);
	if (!answer_is_ok(answer))
		printf("# try: %s\n", answer);
	return answer_is_ok(answer);
}

static bool sees_picture(uint32_t number)
{
	canvas_noise(&canvas, canvas_all(&canvas), ++seed);
	show(canvas_all(&canvas));
	return sees_all();
}

/* Moves for so long that it is sent as video, and then stands still. */
static bool sees_film(uint32_t number)
{
	for (unsigned i = 0; i < FRAMES; i++) {
		canvas_film(&canvas, film, ++seed);
		show(film);
		g_usleep(G_USEC_PER_SEC / FRAMES_PER_S);
	}
	/* What render has lost with its end is drawn anew. */
	if (number > 0)
		show(canvas_all(&canvas));
	g_autofree char *stats = client_ask(client, "stats");
	g_autofree char *codec = answer_text(stats, "codec");
	printf("# video: %s\n", codec ? codec : "none");
	return sees_all();
}

static bool types(uint32_t number)
{
	g_autofree char *line = g_strdup_printf("key release %d", KEY_A);
	g_free(fake_qemu_take_record(&qemu));
	g_autofree char *answer = client_ask(client, "key 1e");
	return answer_is_ok(answer) && fake_qemu_wait_line(&qemu, line, SEEN_MS);
}

static bool hears(uint32_t number)
{
	const int16_t samples[960] = { 1, 2, 3 };
	return fake_qemu_wait_sound(&qemu, SEEN_MS) &&
	       fake_qemu_sound_init(&qemu, SOUND_STREAM, 48000, 2) &&
	       fake_qemu_sound_enable(&qemu, SOUND_STREAM, true) &&
	       fake_qemu_sound_write(&qemu, SOUND_STREAM, samples, sizeof(samples)) &&
	       fake_qemu_sound_fini(&qemu, SOUND_STREAM);
}

static void insist_or(bool (*act)(uint32_t number), const char *what, const char *why)
{
	outcome_insist_or(guest->backend, act, come_again, what, why);
}

static void insist(bool (*act)(uint32_t number), const char *what)
{
	outcome_insist(guest->backend, act, come_again, what);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	signal(SIGPIPE, SIG_IGN);
	outcome_begin();
	start_desktop();
	outcome_insist(guest->backend, show_head, reload, "the guest has no head");
	come();
	insist(sees_picture, "a client sees no picture");
	insist_or(types, "no key arrives", "no keyboard, no pointer");
	insist_or(hears, "nobody hears the guest", "no sound");
	insist(sees_film, "a client sees no film");
	leave();
	outcome_kill_worker(guest->backend, "vitrine-display");
	in_tls = true;
	come();
	insist_or(sees_picture, "no client comes by TLS", "nobody can connect with TLS");
	in_tls = !outcome_lacks();
	if (!in_tls)
		come_again();
	insist_or(types, "no key arrives after display's end", "no keyboard, no pointer");
	outcome_kill_worker(guest->backend, "vitrine-render");
	insist(sees_picture, "a client sees no picture after the renderer's end");
	leave();
	g_usleep(300000);
	pid_t display = backend_find_child(guest->backend, "vitrine-display");
	g_autofree char *folder = g_strdup_printf("/proc/%d/fd", (int)display);
	g_autoptr(GDir) fds = g_dir_open(folder, 0, NULL);
	for (const char *name; fds && (name = g_dir_read_name(fds));) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		g_autofree char *what = g_file_read_link(path, NULL);
		printf("# display: %s %s\n", name, what);
	}
	printf("display: %u descriptors\n", outcome_count_fds(display));
	return outcome_end(guest->backend);
}
