/* SPDX-License-Identifier: MIT */
#include "tests/client/fake_ports.h"

#include <gio/gunixfdlist.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/client/patience.h"

#define ROOT "/org/qemu/Display1"
#define CHARDEV "org.qemu.Display1.Chardev"
#define MANAGER "org.freedesktop.DBus.ObjectManager"
#define PATIENCE_MS 10000

static const char xml[] =
	"<node><interface name='" CHARDEV "'>"
	"  <method name='Register'><arg type='h' direction='in'/></method></interface>"
	" <interface name='" MANAGER "'><method name='GetManagedObjects'>"
	"  <arg type='a{oa{sa{sv}}}' direction='out'/></method></interface></node>";

struct fake_port {
	const char *name;
	char *path;
	bool is_open;
	int fd; /* -1: no stream */
	unsigned n_streams;
	guint object;
};

struct fake_ports {
	GMutex lock;
	GCond changed;
	GDBusNodeInfo *node;
	GDBusConnection *connection; /* NULL: not served */
	guint manager;
	unsigned n_ports;
	struct fake_port all[FAKE_PORTS_MAX];
};

struct fake_ports *fake_ports_create(const char *const *names)
{
	struct fake_ports *ports = g_new0(struct fake_ports, 1);
	g_mutex_init(&ports->lock);
	g_cond_init(&ports->changed);
	ports->node = g_dbus_node_info_new_for_xml(xml, NULL);
	for (; names[ports->n_ports]; ports->n_ports++) {
		g_assert_cmpuint(ports->n_ports, <, FAKE_PORTS_MAX);
		ports->all[ports->n_ports] = (struct fake_port){
			.name = names[ports->n_ports],
			.path = g_strdup_printf(ROOT "/Chardev_%u", ports->n_ports),
			.is_open = g_str_has_prefix(names[ports->n_ports], "org.qemu.usbredir"),
			.fd = -1,
		};
	}
	return ports;
}

void fake_ports_destroy(struct fake_ports *ports)
{
	for (unsigned i = 0; i < ports->n_ports; i++)
		g_free(ports->all[i].path);
	g_dbus_node_info_unref(ports->node);
	g_mutex_clear(&ports->lock);
	g_cond_clear(&ports->changed);
	g_free(ports);
}

/* ---- D-Bus ---- */

static GVariant *describe(const struct fake_port *port)
{
	GVariantBuilder properties, interfaces;
	g_variant_builder_init(&properties, G_VARIANT_TYPE_VARDICT);
	g_variant_builder_add(&properties, "{sv}", "Name", g_variant_new_string(port->name));
	g_variant_builder_add(
		&properties, "{sv}", "FEOpened", g_variant_new_boolean(port->is_open));
	g_variant_builder_init(&interfaces, G_VARIANT_TYPE("a{sa{sv}}"));
	g_variant_builder_add(&interfaces, "{sa{sv}}", CHARDEV, &properties);
	return g_variant_builder_end(&interfaces);
}

static void answer_objects(struct fake_ports *ports, GDBusMethodInvocation *invocation)
{
	GVariantBuilder objects;
	g_variant_builder_init(&objects, G_VARIANT_TYPE("a{oa{sa{sv}}}"));
	for (unsigned i = 0; i < ports->n_ports; i++)
		g_variant_builder_add(
			&objects, "{o@a{sa{sv}}}", ports->all[i].path, describe(&ports->all[i]));
	g_dbus_method_invocation_return_value(
		invocation, g_variant_new("(a{oa{sa{sv}}})", &objects));
}

static void take_stream(struct fake_port *port, GDBusMethodInvocation *invocation)
{
	GUnixFDList *fds =
		g_dbus_message_get_unix_fd_list(g_dbus_method_invocation_get_message(invocation));
	if (port->fd >= 0)
		close(port->fd);
	port->fd = g_unix_fd_list_get(fds, 0, NULL);
	port->n_streams++;
	g_dbus_method_invocation_return_value(invocation, NULL);
}

static void on_call(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *method, GVariant *parameters,
	GDBusMethodInvocation *invocation, gpointer user)
{
	struct fake_ports *ports = user;
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&ports->lock);
	if (strcmp(method, "GetManagedObjects") == 0) {
		answer_objects(ports, invocation);
		return;
	}
	for (unsigned i = 0; i < ports->n_ports; i++) {
		if (strcmp(ports->all[i].path, path) == 0)
			take_stream(&ports->all[i], invocation);
	}
	g_cond_broadcast(&ports->changed);
}

static guint serve(struct fake_ports *ports, const char *path, const char *interface)
{
	static const GDBusInterfaceVTable table = { on_call, NULL, NULL, { 0 } };
	return g_dbus_connection_register_object(ports->connection, path,
		g_dbus_node_info_lookup_interface(ports->node, interface), &table, ports, NULL,
		NULL);
}

void fake_ports_serve(struct fake_ports *ports, GDBusConnection *connection)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&ports->lock);
	ports->connection = g_object_ref(connection);
	ports->manager = serve(ports, ROOT, MANAGER);
	for (unsigned i = 0; i < ports->n_ports; i++)
		ports->all[i].object = serve(ports, ports->all[i].path, CHARDEV);
}

void fake_ports_hang_up(struct fake_ports *ports)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&ports->lock);
	if (!ports->connection)
		return;
	g_dbus_connection_unregister_object(ports->connection, ports->manager);
	for (unsigned i = 0; i < ports->n_ports; i++) {
		g_dbus_connection_unregister_object(ports->connection, ports->all[i].object);
		if (ports->all[i].fd >= 0)
			close(ports->all[i].fd);
		ports->all[i].fd = -1;
	}
	g_clear_object(&ports->connection);
}

/* ---- the guest ---- */

void fake_ports_open(struct fake_ports *ports, unsigned i, bool is_open)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&ports->lock);
	GVariantBuilder changed;
	ports->all[i].is_open = is_open;
	g_variant_builder_init(&changed, G_VARIANT_TYPE_VARDICT);
	g_variant_builder_add(&changed, "{sv}", "FEOpened", g_variant_new_boolean(is_open));
	g_dbus_connection_emit_signal(ports->connection, NULL, ports->all[i].path,
		"org.freedesktop.DBus.Properties", "PropertiesChanged",
		g_variant_new("(sa{sv}as)", CHARDEV, &changed, NULL), NULL);
}

void fake_ports_unplug(struct fake_ports *ports, unsigned i)
{
	const char *const interfaces[] = { CHARDEV, NULL };
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&ports->lock);
	g_dbus_connection_emit_signal(ports->connection, NULL, ROOT, MANAGER, "InterfacesRemoved",
		g_variant_new("(o^as)", ports->all[i].path, interfaces), NULL);
}

/* There is a stream whose other end has not gone. */
static bool has_stream(const struct fake_port *port)
{
	struct pollfd polled = { .fd = port->fd, .events = POLLRDHUP };
	return port->fd >= 0 && poll(&polled, 1, 0) == 0;
}

static bool wait_until(struct fake_ports *ports, unsigned i, bool there, int timeout_ms)
{
	gint64 end_us = patience_end_us(timeout_ms);
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&ports->lock);
	while (has_stream(&ports->all[i]) != there && g_get_monotonic_time() < end_us)
		g_cond_wait_until(&ports->changed, &ports->lock, g_get_monotonic_time() + 20000);
	return has_stream(&ports->all[i]) == there;
}

unsigned fake_ports_wait_stream(struct fake_ports *ports, unsigned i, int timeout_ms)
{
	return wait_until(ports, i, true, timeout_ms) ? ports->all[i].n_streams : 0;
}

bool fake_ports_wait_end(struct fake_ports *ports, unsigned i, int timeout_ms)
{
	return wait_until(ports, i, false, timeout_ms);
}

static bool await(int fd, short what)
{
	struct pollfd polled = { .fd = fd, .events = what };
	return poll(&polled, 1, patience_ms(PATIENCE_MS)) == 1;
}

bool fake_ports_say(struct fake_ports *ports, unsigned i, const void *data, size_t n_bytes)
{
	int fd = ports->all[i].fd;
	for (size_t done = 0; done < n_bytes;) {
		ssize_t n = await(fd, POLLOUT) ? send(fd, (const char *)data + done, n_bytes - done,
							 MSG_NOSIGNAL | MSG_DONTWAIT) :
						 -1;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

bool fake_ports_hear(struct fake_ports *ports, unsigned i, void *data, size_t n_bytes)
{
	int fd = ports->all[i].fd;
	for (size_t done = 0; done < n_bytes;) {
		ssize_t n = await(fd, POLLIN) ?
				    recv(fd, (char *)data + done, n_bytes - done, MSG_DONTWAIT) :
				    -1;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}
