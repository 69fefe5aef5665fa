/* SPDX-License-Identifier: MIT */
/*
 * vitrine-guest-recover asks systemd for a restart in D-Bus's own bytes, and takes nothing but an
 * answer for one. GLib, which the helper does without, reads what it writes.
 */
#include <gio/gio.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "guest-tools/recover/manager.h"

#define UNIT "display@1.service"

static int number, failed;

static void ok(bool good, const char *name)
{
	failed += !good;
	printf("%s %d - %s\n", good ? "ok" : "not ok", ++number, name);
}

/* What systemd is made to say. */
struct manager {
	const char *path;
	const char *welcome; /* NULL: hangs up */
	GDBusMessageType answer;
	bool signals_first, hangs_up;
	/* What it heard. */
	char first, *login;
	bool is_early; /* it went on before it was let in */
	GDBusMessage *call;
	int listener;
};

static GDBusMessage *receive_call(int fd)
{
	guint8 bytes[1024];
	ssize_t n = recv(fd, bytes, 16, MSG_WAITALL);
	gssize length = n == 16 ? g_dbus_message_bytes_needed(bytes, 16, NULL) : -1;
	if (length < 16 || length > (gssize)sizeof(bytes) ||
		recv(fd, bytes + 16, (size_t)length - 16, MSG_WAITALL) != length - 16)
		return NULL;
	return g_dbus_message_new_from_blob(bytes, (gsize)length, 0, NULL);
}

static void send_message(int fd, GDBusMessage *message, guint32 serial)
{
	gsize length;
	g_dbus_message_set_serial(message, serial);
	g_autofree guchar *bytes = g_dbus_message_to_blob(message, &length, 0, NULL);
	if (bytes)
		send(fd, bytes, length, MSG_NOSIGNAL);
	g_object_unref(message);
}

static void send_signal(int fd)
{
	GDBusMessage *signal = g_dbus_message_new_signal(
		"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "JobNew");
	g_autofree char *text = g_strnfill(777, 'x');
	g_dbus_message_set_body(signal, g_variant_new("(us)", 7, text));
	send_message(fd, signal, 1);
}

static char *receive_line(int fd)
{
	GString *line = g_string_new(NULL);
	for (char c; line->len < 200 && recv(fd, &c, 1, 0) == 1 && c != '\n';)
		g_string_append_c(line, c);
	return g_string_free(line, FALSE);
}

static void answer_call(struct manager *manager, int fd)
{
	GDBusMessage *answer = NULL;
	if (manager->signals_first)
		send_signal(fd);
	if (!manager->call || manager->hangs_up)
		return;
	if (manager->answer == G_DBUS_MESSAGE_TYPE_ERROR)
		answer = g_dbus_message_new_method_error(
			manager->call, "org.freedesktop.systemd1.NoSuchUnit", "no unit");
	else
		answer = g_dbus_message_new_method_reply(manager->call);
	send_message(fd, answer, 2);
}

/* systemd reads no more with the line that begins, until something else comes. */
static bool has_more(int fd)
{
	struct pollfd wait = { fd, POLLIN, 0 };
	return poll(&wait, 1, 50) > 0;
}

static gpointer serve(gpointer user)
{
	struct manager *manager = user;
	int fd = accept(manager->listener, NULL, NULL);
	if (recv(fd, &manager->first, 1, 0) == 1)
		manager->login = receive_line(fd);
	if (manager->welcome) {
		g_autofree char *begin = receive_line(fd);
		manager->is_early = !g_str_equal(begin, "BEGIN\r") || has_more(fd);
		send(fd, manager->welcome, strlen(manager->welcome), MSG_NOSIGNAL);
		manager->call = receive_call(fd);
		answer_call(manager, fd);
	}
	close(fd);
	return NULL;
}

static bool restarts(struct manager *manager)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_strlcpy(address.sun_path, manager->path, sizeof(address.sun_path));
	manager->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(
		bind(manager->listener, (struct sockaddr *)&address, sizeof(address)), ==, 0);
	g_assert_cmpint(listen(manager->listener, 1), ==, 0);
	GThread *thread = g_thread_new("manager", serve, manager);
	bool taken = manager_restart(manager->path, UNIT);
	g_thread_join(thread);
	close(manager->listener);
	unlink(manager->path);
	return taken;
}

static void finish(struct manager *manager)
{
	g_free(manager->login);
	g_clear_object(&manager->call);
}

static bool asks_for_restart(GDBusMessage *call)
{
	const char *unit = NULL, *mode = NULL;
	GVariant *body = call ? g_dbus_message_get_body(call) : NULL;
	if (!body || !g_variant_is_of_type(body, G_VARIANT_TYPE("(ss)")))
		return false;
	g_variant_get(body, "(&s&s)", &unit, &mode);
	return strcmp(unit, UNIT) == 0 && strcmp(mode, "replace") == 0 &&
	       g_dbus_message_get_message_type(call) == G_DBUS_MESSAGE_TYPE_METHOD_CALL &&
	       strcmp(g_dbus_message_get_path(call), "/org/freedesktop/systemd1") == 0 &&
	       strcmp(g_dbus_message_get_interface(call), "org.freedesktop.systemd1.Manager") ==
		       0 &&
	       strcmp(g_dbus_message_get_destination(call), "org.freedesktop.systemd1") == 0 &&
	       strcmp(g_dbus_message_get_member(call), "RestartUnit") == 0;
}

static bool is_refused(struct manager manager)
{
	bool taken = restarts(&manager);
	finish(&manager);
	return !taken;
}

int main(void)
{
	g_autofree char *folder = g_dir_make_tmp("vitrine-manager-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "private", NULL);
	ok(!manager_restart(path, UNIT), "without systemd nothing is taken");
	struct manager manager = { .path = path, .welcome = "OK 0123\r\n" };
	ok(restarts(&manager), "what is answered was taken");
	g_autofree char *digits = g_strdup_printf("%u", (unsigned)getuid());
	GString *login = g_string_new("AUTH EXTERNAL ");
	for (const char *c = digits; *c; c++)
		g_string_append_printf(login, "%02x", *c);
	g_string_append_c(login, '\r');
	ok(manager.first == 0 && strcmp(manager.login, login->str) == 0, "it says who it is");
	ok(!manager.is_early, "and begins, but asks for nothing until it is let in");
	ok(asks_for_restart(manager.call), "then it asks for the unit's restart");
	g_string_free(login, TRUE);
	finish(&manager);
	manager = (struct manager){ .path = path, .welcome = "OK 0123\r\n", .signals_first = true };
	ok(restarts(&manager), "signals before the answer are passed over");
	finish(&manager);
	ok(is_refused((struct manager){ .path = path,
		   .welcome = "OK 0123\r\n",
		   .signals_first = true,
		   .answer = G_DBUS_MESSAGE_TYPE_ERROR }),
		"an error is none");
	ok(is_refused((struct manager){ .path = path, .welcome = "REJECTED EXTERNAL\r\n" }) &&
			is_refused((struct manager){ .path = path }) &&
			is_refused((struct manager){
				.path = path, .welcome = "OK 0123\r\n", .hangs_up = true }),
		"nor is who lets nobody in, or hangs up");
	rmdir(folder);
	printf("1..%d\n", number);
	return failed > 0;
}
