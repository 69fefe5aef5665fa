/* SPDX-License-Identifier: MIT */
/* dbus_chardev: tests it against a QEMU with one port, which the test plays. */
#include "display/qemu/dbus_chardev.h"

#include <gio/gunixfdlist.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "display/qemu/limits.h"

#define CHARDEV "org.qemu.Display1.Chardev"
#define MANAGER "org.freedesktop.DBus.ObjectManager"
#define ROOT "/org/qemu/Display1"
#define PATH ROOT "/Chardev_agent"

static const char xml[] =
	"<node><interface name='" CHARDEV "'>"
	"  <method name='Register'><arg type='h' direction='in'/></method></interface>"
	" <interface name='" MANAGER "'><method name='GetManagedObjects'>"
	"  <arg type='a{oa{sa{sv}}}' direction='out'/></method></interface></node>";

struct room {
	GDBusConnection *display; /* display's end of QEMU's display connection */
	struct dbus_chardev *chardev;
	GString *heard; /* what it called back with */
	size_t room;
	bool renews;  /* when it receives something */
	bool insists; /* when it can send, it does */
	/* These are QEMU's. */
	GDBusConnection *qemu;
	bool has_port, guest_has_it_open;
	unsigned n_refusals; /* that are yet to come */
	unsigned n_streams;
	int fd; /* QEMU's end of the stream; -1: none */
};

#define WAIT_FOR(condition)                                                                        \
	do {                                                                                       \
		gint64 end_us = g_get_monotonic_time() + 5 * G_USEC_PER_SEC;                       \
		while (!(condition)) {                                                             \
			g_assert_cmpint(g_get_monotonic_time(), <, end_us);                        \
			g_main_context_iteration(NULL, FALSE);                                     \
		}                                                                                  \
	} while (0)

static void pass_ms(unsigned ms)
{
	gint64 end_us = g_get_monotonic_time() + ms * 1000;
	while (g_get_monotonic_time() < end_us) {
		g_main_context_iteration(NULL, FALSE);
		g_usleep(200);
	}
}

/* ---- what the chardev says ---- */

static void on_opened(void *user, bool is_open)
{
	g_string_append(((struct room *)user)->heard, is_open ? "open;" : "closed;");
}

static size_t on_room(void *user)
{
	return ((struct room *)user)->room;
}

static void on_received(void *user, const uint8_t *bytes, size_t n_bytes)
{
	struct room *room = user;
	g_assert_cmpuint(n_bytes, <=, room->room);
	g_string_append_len(room->heard, (const char *)bytes, (gssize)n_bytes);
	if (room->renews)
		dbus_chardev_renew(room->chardev);
}

static void on_writable(void *user)
{
	struct room *room = user;
	g_string_append(room->heard, "writable;");
	if (room->insists)
		dbus_chardev_send(room->chardev, (const uint8_t *)"x", 1);
}

static const struct dbus_chardev_ops ops = { on_opened, on_room, on_received, on_writable, false };
static const struct dbus_chardev_ops last_words = { on_opened, on_room, on_received, on_writable,
	true };

static void expect_heard(struct room *room, const char *heard)
{
	WAIT_FOR(room->heard->len >= strlen(heard));
	g_assert_cmpstr(room->heard->str, ==, heard);
	g_string_truncate(room->heard, 0);
}

/* ---- QEMU ---- */

static GVariant *describe_port(const struct room *room)
{
	GVariantBuilder properties, interfaces;
	g_variant_builder_init(&properties, G_VARIANT_TYPE_VARDICT);
	g_variant_builder_add(&properties, "{sv}", "Name", g_variant_new_string("com.example.0"));
	g_variant_builder_add(
		&properties, "{sv}", "FEOpened", g_variant_new_boolean(room->guest_has_it_open));
	g_variant_builder_init(&interfaces, G_VARIANT_TYPE("a{sa{sv}}"));
	g_variant_builder_add(&interfaces, "{sa{sv}}", CHARDEV, &properties);
	return g_variant_builder_end(&interfaces);
}

static GVariant *list_objects(const struct room *room)
{
	GVariantBuilder objects;
	g_variant_builder_init(&objects, G_VARIANT_TYPE("a{oa{sa{sv}}}"));
	if (room->has_port)
		g_variant_builder_add(&objects, "{o@a{sa{sv}}}", PATH, describe_port(room));
	return g_variant_new("(a{oa{sa{sv}}})", &objects);
}

static void on_call(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *method, GVariant *parameters,
	GDBusMethodInvocation *invocation, gpointer user)
{
	struct room *room = user;
	if (strcmp(method, "GetManagedObjects") == 0) {
		g_dbus_method_invocation_return_value(invocation, list_objects(room));
		return;
	}
	if (room->n_refusals > 0) {
		room->n_refusals--;
		g_dbus_method_invocation_return_dbus_error(
			invocation, "org.qemu.Display1.Error.Failed", "Couldn't register FD!");
		return;
	}
	GUnixFDList *fds =
		g_dbus_message_get_unix_fd_list(g_dbus_method_invocation_get_message(invocation));
	if (room->fd >= 0)
		close(room->fd);
	room->fd = g_unix_fd_list_get(fds, 0, NULL);
	room->n_streams++;
	g_dbus_method_invocation_return_value(invocation, NULL);
}

static void guest_opens(struct room *room, bool is_open)
{
	GVariantBuilder changed;
	room->guest_has_it_open = is_open;
	g_variant_builder_init(&changed, G_VARIANT_TYPE_VARDICT);
	g_variant_builder_add(&changed, "{sv}", "FEOpened", g_variant_new_boolean(is_open));
	g_dbus_connection_emit_signal(room->qemu, NULL, PATH, "org.freedesktop.DBus.Properties",
		"PropertiesChanged", g_variant_new("(sa{sv}as)", CHARDEV, &changed, NULL), NULL);
}

static void guest_writes(struct room *room, const char *text)
{
	g_assert_cmpint(write(room->fd, text, strlen(text)), ==, strlen(text));
}

static void guest_reads(struct room *room, const char *text)
{
	char bytes[64] = "";
	g_assert_cmpint(recv(room->fd, bytes, sizeof(bytes) - 1, 0), ==, strlen(text));
	g_assert_cmpstr(bytes, ==, text);
}

static void send_text(struct room *room, const char *text)
{
	size_t taken = dbus_chardev_send(room->chardev, (const uint8_t *)text, strlen(text));
	g_assert_cmpuint(taken, ==, strlen(text));
}

static bool is_over(const struct room *room)
{
	char byte;
	return recv(room->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

/* ---- the room ---- */

static void on_connection(GObject *source, GAsyncResult *result, gpointer user)
{
	*(GDBusConnection **)user = g_dbus_connection_new_finish(result, NULL);
}

static void speak_dbus(int fd, bool server, GDBusConnection **connection)
{
	g_autoptr(GSocket) socket = g_socket_new_from_fd(fd, NULL);
	g_autoptr(GSocketConnection) stream = g_socket_connection_factory_create_connection(socket);
	g_autofree char *guid = g_dbus_generate_guid();
	g_dbus_connection_new(G_IO_STREAM(stream), server ? guid : NULL,
		server ? G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER :
			 G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT,
		NULL, NULL, on_connection, connection);
}

static void serve(struct room *room, GDBusNodeInfo *node, const char *path, const char *interface)
{
	static const GDBusInterfaceVTable table = { on_call, NULL, NULL, { 0 } };
	GDBusInterfaceInfo *info = g_dbus_node_info_lookup_interface(node, interface);
	g_assert_cmpuint(
		g_dbus_connection_register_object(room->qemu, path, info, &table, room, NULL, NULL),
		>, 0);
}

static void open_room(struct room *room, bool has_port)
{
	int fds[2];
	*room = (struct room){
		.heard = g_string_new(NULL), .room = 1024, .has_port = has_port, .fd = -1
	};
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
	speak_dbus(fds[0], true, &room->qemu);
	speak_dbus(fds[1], false, &room->display);
	WAIT_FOR(room->qemu && room->display);
	g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(xml, NULL);
	serve(room, node, ROOT, MANAGER);
	serve(room, node, PATH, CHARDEV);
	room->chardev = dbus_chardev_create(room->display, "com.example.0", NULL, &ops, room);
}

/* The guest has the port open, and there is a stream. */
static void open_port(struct room *room)
{
	open_room(room, true);
	room->guest_has_it_open = true;
	dbus_chardev_want(room->chardev, true);
	expect_heard(room, "open;");
}

static void close_room(struct room *room)
{
	g_clear_pointer(&room->chardev, dbus_chardev_destroy);
	pass_ms(5);
	g_dbus_connection_close_sync(room->display, NULL, NULL);
	g_dbus_connection_close_sync(room->qemu, NULL, NULL);
	g_clear_object(&room->display);
	g_clear_object(&room->qemu);
	if (room->fd >= 0)
		close(room->fd);
	g_string_free(room->heard, TRUE);
}

/* ---- tests ---- */

static void test_bytes(void)
{
	struct room room;
	open_room(&room, true);
	pass_ms(20);
	g_assert_cmpuint(room.n_streams, ==, 0);
	dbus_chardev_want(room.chardev, true);
	WAIT_FOR(room.n_streams == 1);
	pass_ms(20);
	g_assert_cmpuint(dbus_chardev_send(room.chardev, (const uint8_t *)"x", 1), ==, 0);
	guest_opens(&room, true);
	expect_heard(&room, "open;");
	guest_writes(&room, "hello");
	expect_heard(&room, "hello");
	send_text(&room, "you");
	guest_reads(&room, "you");
	dbus_chardev_want(room.chardev, false);
	expect_heard(&room, "closed;");
	g_assert_true(is_over(&room));
	close_room(&room);
}

/* What the guest was not quick enough to read is nothing for who opens the port next. */
static void test_reopened(void)
{
	struct room room;
	open_port(&room);
	guest_opens(&room, false);
	expect_heard(&room, "closed;");
	guest_opens(&room, true);
	expect_heard(&room, "open;");
	g_assert_cmpuint(room.n_streams, ==, 1);
	send_text(&room, "unread");
	guest_opens(&room, false);
	expect_heard(&room, "closed;");
	guest_opens(&room, true);
	expect_heard(&room, "open;");
	g_assert_cmpuint(room.n_streams, ==, 2);
	send_text(&room, "new");
	guest_reads(&room, "new");
	close_room(&room);
}

static void test_ended(void)
{
	struct room room;
	open_port(&room);
	shutdown(room.fd, SHUT_RDWR);
	expect_heard(&room, "closed;open;");
	g_assert_cmpuint(room.n_streams, ==, 2);
	room.renews = true;
	guest_writes(&room, "lies");
	expect_heard(&room, "liesclosed;");
	/* A guest that has not noticed would take the new stream for the rest of the old one. */
	pass_ms(DBUS_CHARDEV_GAP_MS + 50);
	g_assert_cmpuint(room.n_streams, ==, 2);
	guest_opens(&room, false);
	guest_opens(&room, true);
	expect_heard(&room, "open;");
	g_assert_cmpuint(room.n_streams, ==, 3);
	close_room(&room);
}

static void test_refused(void)
{
	struct room room;
	open_room(&room, true);
	room.guest_has_it_open = true;
	room.n_refusals = 3;
	dbus_chardev_want(room.chardev, true);
	expect_heard(&room, "open;");
	g_assert_cmpuint(room.n_refusals, ==, 0);
	close_room(&room);
}

static void test_late(void)
{
	struct room room;
	open_room(&room, false);
	dbus_chardev_want(room.chardev, true);
	pass_ms(20);
	g_assert_cmpuint(room.n_streams, ==, 0);
	room.guest_has_it_open = true;
	g_dbus_connection_emit_signal(room.qemu, NULL, ROOT, MANAGER, "InterfacesAdded",
		g_variant_new("(o@a{sa{sv}})", PATH, describe_port(&room)), NULL);
	expect_heard(&room, "open;");
	close_room(&room);
}

static void remove_port(struct room *room, const char *path, const char *interface)
{
	const char *const interfaces[] = { interface, NULL };
	g_dbus_connection_emit_signal(room->qemu, NULL, ROOT, MANAGER, "InterfacesRemoved",
		g_variant_new("(o^as)", path, interfaces), NULL);
}

/* It is closed when QEMU unplugs it, and one that comes in its place is taken. */
static void test_removed(void)
{
	struct room room;
	open_port(&room);
	remove_port(&room, ROOT "/Chardev_other", CHARDEV);
	remove_port(&room, PATH, "org.qemu.Display1.Chardev.VCEncoding");
	pass_ms(20);
	g_assert_cmpuint(room.heard->len, ==, 0);
	remove_port(&room, PATH, CHARDEV);
	expect_heard(&room, "closed;");
	unsigned n_streams = room.n_streams;
	pass_ms(DBUS_CHARDEV_GAP_MS + 50);
	g_assert_cmpuint(room.n_streams, ==, n_streams);
	g_dbus_connection_emit_signal(room.qemu, NULL, ROOT, MANAGER, "InterfacesAdded",
		g_variant_new("(o@a{sa{sv}})", PATH, describe_port(&room)), NULL);
	expect_heard(&room, "open;");
	close_room(&room);
}

/* Neither side is made to take more than it can, and nothing is lost by that. */
static void test_room(void)
{
	struct room room;
	g_autofree uint8_t *bytes = g_malloc0(1 << 20);
	open_port(&room);
	room.room = 0;
	guest_writes(&room, "wait");
	pass_ms(20);
	g_assert_cmpuint(room.heard->len, ==, 0);
	room.room = 2;
	dbus_chardev_resume(room.chardev);
	expect_heard(&room, "wait");
	size_t taken = dbus_chardev_send(room.chardev, bytes, 1 << 20);
	g_assert_cmpuint(taken, >, 0);
	g_assert_cmpuint(taken, <, 1 << 20);
	for (size_t left = taken; left > 0;) {
		ssize_t n = recv(room.fd, bytes, MIN(left, 1 << 20), 0);
		g_assert_cmpint(n, >, 0);
		left -= (size_t)n;
	}
	expect_heard(&room, "writable;");
	close_room(&room);
}

/* What waits for a QEMU that has hung up does not wake us until somebody takes what it said. */
static void test_ended_unread(void)
{
	struct room room;
	open_port(&room);
	room.room = 0;
	room.insists = true;
	guest_writes(&room, "last words");
	pass_ms(20);
	shutdown(room.fd, SHUT_RDWR);
	g_assert_cmpuint(dbus_chardev_send(room.chardev, (const uint8_t *)"x", 1), ==, 0);
	pass_ms(50);
	g_assert_cmpstr(room.heard->str, ==, "");
	room.room = 100;
	dbus_chardev_resume(room.chardev);
	expect_heard(&room, "last wordsclosed;open;");
	close_room(&room);
}

/* Where it matters nothing is lost of what a guest has said when it closes the port. */
static void test_last_words(void)
{
	struct room room;
	open_room(&room, true);
	dbus_chardev_destroy(room.chardev);
	room.chardev = dbus_chardev_create(room.display, "com.example.0", PATH, &last_words, &room);
	room.guest_has_it_open = true;
	dbus_chardev_want(room.chardev, true);
	expect_heard(&room, "open;");
	for (unsigned i = 0; i < 2; i++) {
		/* All of it is taken at once, or only some. */
		room.room = i == 0 ? 1024 : 4;
		guest_writes(&room, "farewell");
		guest_opens(&room, false);
		expect_heard(&room, "farewellclosed;");
		guest_opens(&room, true);
		expect_heard(&room, "open;");
	}
	room.room = 0;
	guest_writes(&room, "wait");
	guest_opens(&room, false);
	pass_ms(20);
	g_assert_cmpstr(room.heard->str, ==, "");
	room.room = 100;
	dbus_chardev_resume(room.chardev);
	expect_heard(&room, "waitclosed;");
	g_assert_cmpuint(room.n_streams, ==, 1);
	/* What the guest has not read is nothing for the next one here, either. */
	guest_opens(&room, true);
	expect_heard(&room, "open;");
	send_text(&room, "unread");
	guest_writes(&room, "bye");
	guest_opens(&room, false);
	expect_heard(&room, "byeclosed;");
	guest_opens(&room, true);
	expect_heard(&room, "open;");
	g_assert_cmpuint(room.n_streams, ==, 2);
	close_room(&room);
}

/* A guest that opens and closes its port all the time makes few streams. */
static void test_storm(void)
{
	struct room room;
	open_port(&room);
	for (unsigned i = 0; i < 200; i++) {
		guest_opens(&room, i % 2);
		if (dbus_chardev_send(room.chardev, (const uint8_t *)"x", 1) == 1)
			pass_ms(1);
		g_main_context_iteration(NULL, FALSE);
	}
	pass_ms(DBUS_CHARDEV_GAP_MS + 100);
	g_assert_cmpuint(room.n_streams, <=, 3);
	g_assert_true(g_str_has_suffix(room.heard->str, "open;"));
	close_room(&room);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dbus-chardev/bytes", test_bytes);
	g_test_add_func("/dbus-chardev/reopened", test_reopened);
	g_test_add_func("/dbus-chardev/ended", test_ended);
	g_test_add_func("/dbus-chardev/refused", test_refused);
	g_test_add_func("/dbus-chardev/late", test_late);
	g_test_add_func("/dbus-chardev/removed", test_removed);
	g_test_add_func("/dbus-chardev/room", test_room);
	g_test_add_func("/dbus-chardev/ended-unread", test_ended_unread);
	g_test_add_func("/dbus-chardev/last-words", test_last_words);
	g_test_add_func("/dbus-chardev/storm", test_storm);
	return g_test_run();
}
