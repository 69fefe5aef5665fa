/* SPDX-License-Identifier: MIT */
/* dbus_ports: tests it against a QEMU whose character devices come and go, which the test plays. */
#include "display/qemu/dbus_ports.h"

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "display/qemu/limits.h"

#define CHARDEV "org.qemu.Display1.Chardev"
#define MANAGER "org.freedesktop.DBus.ObjectManager"
#define ROOT "/org/qemu/Display1"

static const char xml[] = "<node><interface name='" MANAGER "'><method name='GetManagedObjects'>"
			  "<arg type='a{oa{sa{sv}}}' direction='out'/></method></interface></node>";

struct room {
	GDBusConnection *qemu, *display;
	struct dbus_ports *ports;
	GString *heard;
	unsigned n_ports; /* that QEMU has from the start */
};

#define WAIT_FOR(condition)                                                                        \
	do {                                                                                       \
		gint64 end_us = g_get_monotonic_time() + 5 * G_USEC_PER_SEC;                       \
		while (!(condition)) {                                                             \
			g_assert_cmpint(g_get_monotonic_time(), <, end_us);                        \
			g_main_context_iteration(NULL, FALSE);                                     \
		}                                                                                  \
	} while (0)

static void on_came(void *user, const char *path, const char *name)
{
	struct room *room = user;
	g_string_append_printf(room->heard, "+%s=%s;", path + strlen(ROOT), name);
}

static void on_went(void *user, const char *path)
{
	struct room *room = user;
	g_string_append_printf(room->heard, "-%s;", path + strlen(ROOT));
}

static const struct dbus_ports_ops ops = { on_came, on_went };

static void expect_heard(struct room *room, const char *heard)
{
	WAIT_FOR(room->heard->len >= strlen(heard));
	g_assert_cmpstr(room->heard->str, ==, heard);
	g_string_truncate(room->heard, 0);
}

static GVariant *describe(const char *interface, const char *name)
{
	GVariantBuilder properties, interfaces;
	g_variant_builder_init(&properties, G_VARIANT_TYPE_VARDICT);
	if (name)
		g_variant_builder_add(&properties, "{sv}", "Name", g_variant_new_string(name));
	g_variant_builder_init(&interfaces, G_VARIANT_TYPE("a{sa{sv}}"));
	g_variant_builder_add(&interfaces, "{sa{sv}}", interface, &properties);
	return g_variant_builder_end(&interfaces);
}

static void on_call(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *method, GVariant *parameters,
	GDBusMethodInvocation *invocation, gpointer user)
{
	struct room *room = user;
	GVariantBuilder objects;
	g_variant_builder_init(&objects, G_VARIANT_TYPE("a{oa{sa{sv}}}"));
	for (unsigned i = 0; i < room->n_ports; i++) {
		g_autofree char *object = g_strdup_printf(ROOT "/Chardev_%u", i);
		g_variant_builder_add(&objects, "{o@a{sa{sv}}}", object, describe(CHARDEV, "a"));
	}
	g_dbus_method_invocation_return_value(
		invocation, g_variant_new("(a{oa{sa{sv}}})", &objects));
}

static void plug(struct room *room, const char *path, const char *interface, const char *name)
{
	g_dbus_connection_emit_signal(room->qemu, NULL, ROOT, MANAGER, "InterfacesAdded",
		g_variant_new("(o@a{sa{sv}})", path, describe(interface, name)), NULL);
}

static void unplug(struct room *room, const char *path, const char *interface)
{
	const char *const interfaces[] = { interface, NULL };
	g_dbus_connection_emit_signal(room->qemu, NULL, ROOT, MANAGER, "InterfacesRemoved",
		g_variant_new("(o^as)", path, interfaces), NULL);
}

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

static void open_room(struct room *room, unsigned n_ports)
{
	static const GDBusInterfaceVTable table = { on_call, NULL, NULL, { 0 } };
	int fds[2];
	*room = (struct room){ .heard = g_string_new(NULL), .n_ports = n_ports };
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
	speak_dbus(fds[0], true, &room->qemu);
	speak_dbus(fds[1], false, &room->display);
	WAIT_FOR(room->qemu && room->display);
	g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(xml, NULL);
	g_assert_cmpuint(g_dbus_connection_register_object(
				 room->qemu, ROOT, node->interfaces[0], &table, room, NULL, NULL),
		>, 0);
	room->ports = dbus_ports_create(room->display, &ops, room);
}

static void close_room(struct room *room)
{
	g_clear_pointer(&room->ports, dbus_ports_destroy);
	g_main_context_iteration(NULL, FALSE);
	g_dbus_connection_close_sync(room->display, NULL, NULL);
	g_dbus_connection_close_sync(room->qemu, NULL, NULL);
	g_clear_object(&room->display);
	g_clear_object(&room->qemu);
	g_string_free(room->heard, TRUE);
}

static void test_comes_and_goes(void)
{
	struct room room;
	open_room(&room, 1);
	expect_heard(&room, "+/Chardev_0=a;");
	plug(&room, ROOT "/Chardev_0", CHARDEV, "a");
	plug(&room, ROOT "/Console_9", "org.qemu.Display1.Console", "a");
	plug(&room, ROOT "/Chardev_8", CHARDEV, NULL);
	plug(&room, ROOT "/Chardev_7", CHARDEV, "a");
	expect_heard(&room, "+/Chardev_7=a;");
	unplug(&room, ROOT "/Chardev_5", CHARDEV);
	unplug(&room, ROOT "/Chardev_0", "org.freedesktop.DBus.Peer");
	unplug(&room, ROOT "/Chardev_7", CHARDEV);
	expect_heard(&room, "-/Chardev_7;");
	plug(&room, ROOT "/Chardev_7", CHARDEV, "b");
	expect_heard(&room, "+/Chardev_7=b;");
	close_room(&room);
}

static void test_too_many(void)
{
	struct room room;
	g_autoptr(GString) expected = g_string_new(NULL);
	for (unsigned i = 0; i < DBUS_PORTS_MAX; i++)
		g_string_append_printf(expected, "+/Chardev_%u=a;", i);
	g_test_expect_message("vitrine-display", G_LOG_LEVEL_WARNING, "*more than*ports*");
	open_room(&room, DBUS_PORTS_MAX + 10);
	expect_heard(&room, expected->str);
	g_test_assert_expected_messages();
	unplug(&room, ROOT "/Chardev_3", CHARDEV);
	expect_heard(&room, "-/Chardev_3;");
	plug(&room, ROOT "/Chardev_99", CHARDEV, "late");
	expect_heard(&room, "+/Chardev_99=late;");
	close_room(&room);
}

/* An answer that comes too late reaches nobody. */
static void test_destroyed(void)
{
	struct room room;
	open_room(&room, 1);
	g_clear_pointer(&room.ports, dbus_ports_destroy);
	plug(&room, ROOT "/Chardev_7", CHARDEV, "a");
	gint64 end_us = g_get_monotonic_time() + 20000;
	while (g_get_monotonic_time() < end_us)
		g_main_context_iteration(NULL, FALSE);
	g_assert_cmpstr(room.heard->str, ==, "");
	close_room(&room);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dbus-ports/comes-and-goes", test_comes_and_goes);
	g_test_add_func("/dbus-ports/too-many", test_too_many);
	g_test_add_func("/dbus-ports/destroyed", test_destroyed);
	return g_test_run();
}
