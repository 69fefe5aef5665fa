/* SPDX-License-Identifier: MIT */
#include "tests/client/fake_desktop.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/link.h"
#include "common/listen.h"
#include "common/shm.h"
#include "tests/client/bound.h"
#include "tests/client/certificate.h"
#include "tests/client/fake_pages.h"
#include "tests/client/fake_passwords.h"
#include "tests/client/log_file.h"
#include "tests/client/patience.h"
#include "tests/client/told_clients.h"

#define READY_TIMEOUT_MS 20000
#define END_TIMEOUT_MS 10000
/* We tell QEMU a console of this many times the desktop's size, so that pointers come out exact. */
#define CONSOLE_FACTOR 2

struct fake_desktop {
	struct fake_render render;
	struct fake_qemu qemu;
	GSubprocess *process;
	char *directory, *log_path, *address, *certificate;
	struct sockaddr_storage listen_address;
	socklen_t listen_address_bytes;
	int keeper_link;
	GMainContext *context;
	GThread *thread;
	GSource *frame_source;
	int wanted_status;
	bool stopping; /* read by the thread, set through a source of its own */
	/* The lock protects what follows. */
	GMutex lock;
	GCond changed;
	struct fake_passwords passwords;
	bool ready, keeper_broken, asked, refuses;
	uint32_t area_width, area_height;
	GString *clients;     /* a line for each that display has told of */
	uint32_t used_ticket; /* the last one that display has used; 0: none, or given back */
	struct stats *stats;  /* shared with display, as is the next */
	struct heartbeat *heartbeat;
};

struct fake_render *fake_desktop_render(struct fake_desktop *desktop)
{
	return &desktop->render;
}

struct fake_qemu *fake_desktop_qemu(struct fake_desktop *desktop)
{
	return &desktop->qemu;
}

const char *fake_desktop_address(const struct fake_desktop *desktop)
{
	return desktop->address;
}

const char *fake_desktop_certificate(const struct fake_desktop *desktop)
{
	return desktop->certificate;
}

unsigned fake_desktop_port(const struct fake_desktop *desktop)
{
	return ntohs(((const struct sockaddr_in *)&desktop->listen_address)->sin_port);
}

const struct heartbeat *fake_desktop_heartbeat(const struct fake_desktop *desktop)
{
	return desktop->heartbeat;
}

const struct stats *fake_desktop_stats(const struct fake_desktop *desktop)
{
	return desktop->stats;
}

/* ---- keeper link ---- */

static bool handle_ready(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct fake_desktop *desktop = user;
	const struct keeper_ready *ready = message;
	desktop->ready = true;
	return ready->version == KEEPER_LINK_VERSION;
}

static bool handle_pointer_area(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct fake_desktop *desktop = user;
	const struct keeper_pointer_area *area = message;
	desktop->area_width = area->width;
	desktop->area_height = area->height;
	fake_qemu_set_size(
		&desktop->qemu, area->width * CONSOLE_FACTOR, area->height * CONSOLE_FACTOR);
	return area->width > 0 && area->height > 0;
}

/* Whoever comes is taken for a user that the keeper knows, unless the test says otherwise. */
static bool handle_visitor(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct fake_desktop *desktop = user;
	const struct keeper_visitor *visitor = message;
	struct keeper_visitor_judged answer = { .header.type = KEEPER_MESSAGE_VISITOR_JUDGED,
		.serial = visitor->serial,
		.welcome = !desktop->refuses,
		.uid = FAKE_DESKTOP_VISITOR };
	struct pollfd p = { .fd = desktop->keeper_link, .events = POLLOUT };
	desktop->asked = true;
	return poll(&p, 1, patience_ms(READY_TIMEOUT_MS)) == 1 &&
	       link_send(desktop->keeper_link, &answer, sizeof(answer), NULL, 0) == 0;
}

static bool handle_ticket_used(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct fake_desktop *desktop = user;
	const struct keeper_ticket_used *m = message;
	desktop->used_ticket = m->use != KEEPER_TICKET_UNUSED ? m->name : 0;
	return true;
}

static bool handle_client(void *user, const void *message, int *fds, unsigned n_fds)
{
	struct fake_desktop *desktop = user;
	return told_clients_note(desktop->clients, message);
}

static const struct link_handler keeper_table[] = {
	{ KEEPER_MESSAGE_READY, "READY", sizeof(struct keeper_ready), 0, 0, handle_ready },
	{ KEEPER_MESSAGE_POINTER_AREA, "POINTER_AREA", sizeof(struct keeper_pointer_area), 0, 0,
		handle_pointer_area },
	{ KEEPER_MESSAGE_TICKET_USED, "TICKET_USED", sizeof(struct keeper_ticket_used), 0, 0,
		handle_ticket_used },
	{ KEEPER_MESSAGE_VISITOR, "VISITOR", sizeof(struct keeper_visitor), 0, 1, handle_visitor },
	{ KEEPER_MESSAGE_CLIENT, "CLIENT", sizeof(struct keeper_client), 0, 0, handle_client },
};

static gboolean keeper_readable(gint fd, GIOCondition condition, gpointer user)
{
	struct fake_desktop *desktop = user;
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&desktop->lock);
	int result = 1;

	while (result == 1)
		result = link_dispatch(
			fd, "display", keeper_table, G_N_ELEMENTS(keeper_table), desktop);
	if (result == -EPROTO)
		desktop->keeper_broken = true;
	g_cond_broadcast(&desktop->changed);
	return result == 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void keeper_send(struct fake_desktop *desktop, void *message, size_t size_bytes, int fd)
{
	g_assert_cmpint(link_send(desktop->keeper_link, message, size_bytes, &fd, fd >= 0), ==, 0);
}

static bool area_is(struct fake_desktop *desktop, uint32_t width, uint32_t height)
{
	return desktop->area_width == width && desktop->area_height == height;
}

bool fake_desktop_wait_pointer_area(
	struct fake_desktop *desktop, uint32_t width, uint32_t height, int timeout_ms)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&desktop->lock);
	gint64 end_us = patience_end_us(timeout_ms);

	while (!area_is(desktop, width, height)) {
		if (!g_cond_wait_until(&desktop->changed, &desktop->lock, end_us))
			return area_is(desktop, width, height);
	}
	return true;
}

/* ---- the desktop's thread ---- */

static gpointer desktop_thread(gpointer user)
{
	struct fake_desktop *desktop = user;
	g_main_context_push_thread_default(desktop->context);
	while (!desktop->stopping)
		g_main_context_iteration(desktop->context, TRUE);
	fake_qemu_hang_up(&desktop->qemu);
	g_main_context_pop_thread_default(desktop->context);
	return NULL;
}

struct thread_call {
	struct fake_desktop *desktop;
	void (*call)(struct fake_desktop *desktop);
	bool done;
};

static gboolean thread_call_run(gpointer user)
{
	struct thread_call *work = user;
	struct fake_desktop *desktop = work->desktop;
	work->call(desktop);
	g_mutex_lock(&desktop->lock);
	work->done = true;
	g_cond_broadcast(&desktop->changed);
	g_mutex_unlock(&desktop->lock);
	return G_SOURCE_REMOVE;
}

void fake_desktop_call(struct fake_desktop *desktop, void (*call)(struct fake_desktop *desktop))
{
	struct thread_call work = { .desktop = desktop, .call = call };
	g_autoptr(GSource) source = g_idle_source_new();

	g_source_set_callback(source, thread_call_run, &work, NULL);
	g_source_attach(source, desktop->context);
	g_mutex_lock(&desktop->lock);
	while (!work.done)
		g_cond_wait(&desktop->changed, &desktop->lock);
	g_mutex_unlock(&desktop->lock);
}

static GSource *desktop_watch(struct fake_desktop *desktop, int fd, GUnixFDSourceFunc readable)
{
	GSource *source = g_unix_fd_source_new(fd, G_IO_IN | G_IO_HUP | G_IO_ERR);

	g_source_set_callback(source, G_SOURCE_FUNC(readable), desktop, NULL);
	g_source_attach(source, desktop->context);
	return source;
}

static gboolean frame_readable(gint fd, GIOCondition condition, gpointer user)
{
	struct fake_desktop *desktop = user;
	return fake_render_dispatch(&desktop->render) ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void frame_link_renew(struct fake_desktop *desktop)
{
	struct keeper_frame_link message = { .header.type = KEEPER_MESSAGE_FRAME_LINK };
	if (desktop->frame_source) {
		g_source_destroy(desktop->frame_source);
		g_source_unref(desktop->frame_source);
	}
	int peer = fake_render_connect(&desktop->render);
	desktop->frame_source = desktop_watch(desktop, desktop->render.link, frame_readable);
	keeper_send(desktop, &message, sizeof(message), peer);
	close(peer);
}

void fake_desktop_renew_frame_link(struct fake_desktop *desktop)
{
	fake_desktop_call(desktop, frame_link_renew);
}

/* ---- start ---- */

static int bind_tcp(struct fake_desktop *desktop, bool tls)
{
	int fd = bound_tcp(&desktop->listen_address, &desktop->listen_address_bytes);
	desktop->address =
		g_strdup_printf(tls ? "spice://127.0.0.1?tls-port=%u" : "spice://127.0.0.1:%u",
			fake_desktop_port(desktop));
	return fd;
}

static int bind_unix(struct fake_desktop *desktop)
{
	g_autofree char *path = g_build_filename(desktop->directory, "spice.sock", NULL);
	int fd = bound_unix(path, &desktop->listen_address, &desktop->listen_address_bytes);
	desktop->address = g_strdup_printf("--unix=%s", path);
	return fd;
}

static void send_certificate(struct fake_desktop *desktop)
{
	struct keeper_certificate message = { .header.type = KEEPER_MESSAGE_CERTIFICATE };
	g_autofree char *key = g_build_filename(desktop->directory, "key.pem", NULL);
	desktop->certificate = g_build_filename(desktop->directory, "certificate.pem", NULL);
	certificate_write(desktop->certificate, key);
	int fds[] = { open(desktop->certificate, O_RDONLY | O_CLOEXEC),
		open(key, O_RDONLY | O_CLOEXEC) };
	g_assert_cmpint(link_send(desktop->keeper_link, &message, sizeof(message), fds, 2), ==, 0);
	close(fds[0]);
	close(fds[1]);
	g_unlink(key);
}

static void send_listener(struct fake_desktop *desktop, const struct fake_desktop_options *options)
{
	struct keeper_listener message = { .header.type = KEEPER_MESSAGE_LISTENER,
		.kind = options->unix_socket ? KEEPER_LISTENER_UNIX :
			options->tls         ? KEEPER_LISTENER_TLS :
					       KEEPER_LISTENER_TCP };
	int fd = options->unix_socket ? bind_unix(desktop) : bind_tcp(desktop, options->tls);

	g_assert_cmpint(listen(fd, LISTEN_BACKLOG), ==, 0);
	keeper_send(desktop, &message, sizeof(message), fd);
	close(fd);
}

static void send_stats(struct fake_desktop *desktop)
{
	struct keeper_stats message = { .header.type = KEEPER_MESSAGE_STATS };
	int fd = fake_pages_make_stats(&desktop->stats);
	keeper_send(desktop, &message, sizeof(message), fd);
	close(fd);
}

void fake_desktop_give_user(struct fake_desktop *desktop, uint32_t name, uint32_t flags,
	const char *user, const char *secret)
{
	struct keeper_ticket message = {
		.header.type = KEEPER_MESSAGE_TICKET, .name = name, .flags = flags
	};
	g_strlcpy(message.user, user, sizeof(message.user));
	g_strlcpy(message.ticket, secret ? secret : "", sizeof(message.ticket));
	fake_passwords_give(&desktop->passwords, desktop->keeper_link, &message);
}

void fake_desktop_give_ticket(
	struct fake_desktop *desktop, uint32_t name, uint32_t flags, const char *ticket)
{
	fake_desktop_give_user(desktop, name, flags, "", ticket);
}

void fake_desktop_say(struct fake_desktop *desktop, const char *text)
{
	struct keeper_says message = { .header.type = KEEPER_MESSAGE_SAYS };
	g_strlcpy(message.text, text, sizeof(message.text));
	keeper_send(desktop, &message, sizeof(message), -1);
}

/* Hands display a new D-Bus descriptor. Must run on the desktop's thread, to which GDBus keeps. */
static void send_dbus(struct fake_desktop *desktop)
{
	struct keeper_dbus message = { .header.type = KEEPER_MESSAGE_DBUS };
	int ends[2];
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
	fake_qemu_serve(&desktop->qemu, ends[0]);
	keeper_send(desktop, &message, sizeof(message), ends[1]);
	close(ends[1]);
}

void fake_desktop_renew_dbus(struct fake_desktop *desktop)
{
	fake_desktop_call(desktop, send_dbus);
}

static void die_with_the_test(gpointer user)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void start_process(struct fake_desktop *desktop, const struct fake_desktop_options *options)
{
	g_autoptr(GSubprocessLauncher) launcher =
		g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_NONE);
	g_autoptr(GError) error = NULL;
	const char *program = g_getenv("VITRINE_DISPLAY");
	int ends[2];

	g_assert_nonnull(program);
	g_assert_cmpint(link_pair(ends), ==, 0);
	desktop->keeper_link = ends[0];
	g_subprocess_launcher_take_fd(launcher, ends[1], KEEPER_LINK_FD);
	g_subprocess_launcher_take_fd(
		launcher, fake_pages_make_heartbeat(&desktop->heartbeat), HEARTBEAT_FD);
	g_subprocess_launcher_set_stderr_file_path(launcher, desktop->log_path);
	g_subprocess_launcher_set_child_setup(launcher, die_with_the_test, NULL, NULL);
	g_autofree char *clock =
		options->clock ? g_strdup_printf("--clock=%s", options->clock) : NULL;
	g_autofree char *encoder =
		options->encoder ? g_strdup_printf("--encoder=%s", options->encoder) : NULL;
	const char *argv[4 + FAKE_DESKTOP_ARGUMENTS_MAX + 1] = { program, "--name=test" };
	unsigned argc = 2;
	if (clock)
		argv[argc++] = clock;
	if (encoder)
		argv[argc++] = encoder;
	for (unsigned i = 0; i < FAKE_DESKTOP_ARGUMENTS_MAX && options->arguments[i]; i++)
		argv[argc++] = options->arguments[i];
	desktop->process = g_subprocess_launcher_spawnv(launcher, argv, &error);
	g_assert_no_error(error);
}

static void wait_ready(struct fake_desktop *desktop)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&desktop->lock);
	gint64 end_us = patience_end_us(READY_TIMEOUT_MS);

	while (!desktop->ready) {
		if (!g_cond_wait_until(&desktop->changed, &desktop->lock, end_us))
			break;
	}
	g_assert_true(desktop->ready);
}

struct fake_desktop *fake_desktop_start(const struct fake_desktop_options *options)
{
	struct fake_desktop *desktop = g_new0(struct fake_desktop, 1);
	g_mutex_init(&desktop->lock);
	g_cond_init(&desktop->changed);
	fake_render_init(&desktop->render);
	fake_qemu_init(&desktop->qemu);
	desktop->directory = g_dir_make_tmp("vitrine-client-XXXXXX", NULL);
	g_assert_nonnull(desktop->directory);
	desktop->log_path = g_build_filename(desktop->directory, "display.log", NULL);
	desktop->context = g_main_context_new();
	desktop->clients = g_string_new(NULL);
	start_process(desktop, options);
	g_source_unref(desktop_watch(desktop, desktop->keeper_link, keeper_readable));
	desktop->thread = g_thread_new("fake-desktop", desktop_thread, desktop);
	wait_ready(desktop);
	send_stats(desktop);
	fake_desktop_give_ticket(desktop, KEEPER_TICKET_PASSWORD, 0, options->ticket);
	if (options->tls)
		send_certificate(desktop);
	send_listener(desktop, options);
	fake_desktop_renew_frame_link(desktop);
	if (!options->no_qemu)
		fake_desktop_call(desktop, send_dbus);
	return desktop;
}

/* ---- end ---- */

static void thread_stop(struct fake_desktop *desktop)
{
	desktop->stopping = true;
}

void fake_desktop_refuse_visitors(struct fake_desktop *desktop, bool refuse)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&desktop->lock);
	desktop->refuses = refuse;
	desktop->asked = false;
}

bool fake_desktop_wait_client(struct fake_desktop *desktop, enum keeper_client_what what,
	const char *text, int timeout_ms)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&desktop->lock);
	gint64 end_us = patience_end_us(timeout_ms);
	while (!told_clients_have(desktop->clients, what, text)) {
		if (!g_cond_wait_until(&desktop->changed, &desktop->lock, end_us))
			return told_clients_have(desktop->clients, what, text);
	}
	return true;
}

char *fake_desktop_find_client(
	struct fake_desktop *desktop, enum keeper_client_what what, const char *text)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&desktop->lock);
	return told_clients_find(desktop->clients, what, text);
}

void fake_desktop_hand_over(struct fake_desktop *desktop, const char *client)
{
	struct keeper_hand_over m = { .header.type = KEEPER_MESSAGE_HAND_OVER };
	g_strlcpy(m.client, client, sizeof(m.client));
	g_assert_cmpint(link_send(desktop->keeper_link, &m, sizeof(m), NULL, 0), ==, 0);
}

uint32_t fake_desktop_used_ticket(struct fake_desktop *desktop)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&desktop->lock);
	return desktop->used_ticket;
}

bool fake_desktop_was_asked(struct fake_desktop *desktop)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&desktop->lock);
	return desktop->asked;
}

void fake_desktop_print_log(const struct fake_desktop *desktop)
{
	log_file_print(desktop->log_path, "display's log");
}

bool fake_desktop_is_alive(struct fake_desktop *desktop)
{
	return g_subprocess_get_identifier(desktop->process) != NULL;
}

static void process_wait(struct fake_desktop *desktop)
{
	gint64 end_us = patience_end_us(END_TIMEOUT_MS);
	while (fake_desktop_is_alive(desktop) && g_get_monotonic_time() < end_us)
		g_usleep(5000);
	bool late = fake_desktop_is_alive(desktop);
	if (late)
		g_subprocess_force_exit(desktop->process);
	g_subprocess_wait(desktop->process, NULL, NULL);
	bool clean = !late && g_subprocess_get_if_exited(desktop->process) &&
		     g_subprocess_get_exit_status(desktop->process) == desktop->wanted_status;
	if (!clean || desktop->render.broken || desktop->keeper_broken)
		fake_desktop_print_log(desktop);
	g_assert_false(late);
	g_assert_true(clean);
}

static void directory_remove(struct fake_desktop *desktop)
{
	g_autofree char *socket_path = g_build_filename(desktop->directory, "spice.sock", NULL);
	g_unlink(socket_path);
	if (desktop->certificate)
		g_unlink(desktop->certificate);
	g_unlink(desktop->log_path);
	g_rmdir(desktop->directory);
}

void fake_desktop_want_fault(struct fake_desktop *desktop)
{
	desktop->wanted_status = EXIT_FAILURE;
}

void fake_desktop_stop(struct fake_desktop *desktop)
{
	fake_desktop_call(desktop, thread_stop);
	g_thread_join(desktop->thread);
	close(desktop->keeper_link);
	process_wait(desktop);
	g_assert_cmpstr(desktop->render.broken, ==, NULL);
	g_assert_false(desktop->keeper_broken);
	directory_remove(desktop);
	g_source_destroy(desktop->frame_source);
	g_source_unref(desktop->frame_source);
	g_object_unref(desktop->process);
	fake_render_finish(&desktop->render);
	fake_qemu_finish(&desktop->qemu);
	g_main_context_unref(desktop->context);
	g_free(desktop->directory);
	g_free(desktop->log_path);
	g_free(desktop->address);
	g_string_free(desktop->clients, TRUE);
	g_free(desktop->certificate);
	g_mutex_clear(&desktop->lock);
	g_cond_clear(&desktop->changed);
	shm_unmap(desktop->stats, sizeof(*desktop->stats));
	shm_unmap(desktop->heartbeat, sizeof(*desktop->heartbeat));
	g_free(desktop);
}

/* ---- looking at the process ---- */

int fake_desktop_connect_socket(const struct fake_desktop *desktop)
{
	int fd = socket(desktop->listen_address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int result = connect(fd, (const struct sockaddr *)&desktop->listen_address,
		desktop->listen_address_bytes);

	g_assert_cmpint(result, ==, 0);
	return fd;
}

pid_t fake_desktop_pid(const struct fake_desktop *desktop)
{
	const char *pid = g_subprocess_get_identifier(desktop->process);
	return pid ? (pid_t)strtol(pid, NULL, 10) : 0;
}

unsigned long fake_desktop_resident_kib(const struct fake_desktop *desktop)
{
	const char *pid = g_subprocess_get_identifier(desktop->process);
	g_autofree char *path = pid ? g_build_filename("/proc", pid, "status", NULL) : NULL;
	g_autofree char *text = NULL;
	if (!path || !g_file_get_contents(path, &text, NULL, NULL))
		return 0;
	const char *line = strstr(text, "VmRSS:");
	return line ? strtoul(line + strlen("VmRSS:"), NULL, 10) : 0;
}

bool fake_desktop_wait_log(const struct fake_desktop *desktop, const char *text, int timeout_ms)
{
	return log_file_wait(desktop->log_path, text, timeout_ms);
}

unsigned fake_desktop_count_log_lines(const struct fake_desktop *desktop)
{
	return log_file_count_lines(desktop->log_path);
}
