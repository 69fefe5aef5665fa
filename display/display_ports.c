/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "display/display_parts.h"
#include "protocol/guest_ports.h"

/* A device of QEMU's, and the channel by which clients have it. */
struct client_port {
	struct display *display;
	char *path;
	enum spice_port_kind kind;
	unsigned id; /* of the channel */
	struct dbus_chardev *chardev;
	struct spice_port *channel;
};

/* A client shows the name to people, and one may be chosen by whoever can plug devices. */
#define NAME_MAX_BYTES 64

static bool is_name(const char *name)
{
	size_t n = strspn(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-");
	return n > 0 && n <= NAME_MAX_BYTES && name[n] == '\0';
}

/* Returns false when it is nothing for clients, or not for them that way. */
static bool find_kind(const char *name, enum spice_port_kind *kind)
{
	if (!is_name(name) || strcmp(name, GUEST_AGENT_PORT) == 0 ||
		strcmp(name, GUEST_STREAM_PORT) == 0 ||
		g_str_has_prefix(name, GUEST_MONITOR_PORTS) ||
		g_str_has_prefix(name, GUEST_OWN_PORTS))
		return false;
	if (g_str_has_prefix(name, GUEST_USB_PORT))
		*kind = SPICE_PORT_USB;
	else if (strcmp(name, GUEST_FOLDER_PORT) == 0)
		*kind = SPICE_PORT_FOLDER;
	else
		*kind = SPICE_PORT_NAMED;
	return true;
}

/* ---- between the two ---- */

static void on_opened(void *user, bool is_open)
{
	struct client_port *port = user;
	spice_port_opened(port->channel, is_open);
}

static size_t on_room(void *user)
{
	struct client_port *port = user;
	return spice_port_room(port->channel);
}

static void on_received(void *user, const uint8_t *bytes, size_t n_bytes)
{
	struct client_port *port = user;
	spice_port_received(port->channel, bytes, n_bytes);
}

static void on_writable(void *user)
{
	struct client_port *port = user;
	spice_port_writable(port->channel);
}

static const struct dbus_chardev_ops chardev_ops = {
	.opened = on_opened,
	.room = on_room,
	.received = on_received,
	.writable = on_writable,
	.last_words = true,
};

/* A client may come and go while the port is made, and while it goes. */
static void on_want(void *user, bool wanted)
{
	struct client_port *port = user;
	if (port->chardev)
		dbus_chardev_want(port->chardev, wanted);
}

static size_t on_send(void *user, const uint8_t *bytes, size_t n_bytes)
{
	struct client_port *port = user;
	return port->chardev ? dbus_chardev_send(port->chardev, bytes, n_bytes) : 0;
}

static void on_resume(void *user)
{
	struct client_port *port = user;
	if (port->chardev)
		dbus_chardev_resume(port->chardev);
}

static const struct spice_port_ops channel_ops = {
	.want = on_want,
	.send = on_send,
	.resume = on_resume,
};

/* ---- which there are ---- */

static void port_free(void *data)
{
	struct client_port *port = data;
	g_clear_pointer(&port->chardev, dbus_chardev_destroy);
	spice_port_destroy(port->channel);
	g_free(port->path);
	g_free(port);
}

/* spice-server gives a new channel the lowest number that is free. */
static unsigned free_id(const GPtrArray *ports, enum spice_port_kind kind)
{
	for (unsigned id = 0;; id++) {
		bool is_taken = false;
		for (guint i = 0; i < ports->len; i++) {
			const struct client_port *port = ports->pdata[i];
			is_taken |= port->kind == kind && port->id == id;
		}
		if (!is_taken)
			return id;
	}
}

static void on_came(void *user, const char *path, const char *name)
{
	struct display *display = user;
	enum spice_port_kind kind;
	if (!find_kind(name, &kind))
		return;
	struct client_port *port = g_new0(struct client_port, 1);
	port->display = display;
	port->path = g_strdup(path);
	port->kind = kind;
	port->id = free_id(display->ports, kind);
	port->channel = spice_port_create(spice_core_server(display->core), display->intake,
		&(struct spice_port_options){ .kind = kind, .name = name, .id = port->id },
		&channel_ops, port);
	if (!port->channel) {
		port_free(port);
		return;
	}
	port->chardev = dbus_chardev_create(display->qemu_bus, name, path, &chardev_ops, port);
	g_ptr_array_add(display->ports, port);
}

static void on_went(void *user, const char *path)
{
	struct display *display = user;
	for (guint i = display->ports->len; i-- > 0;) {
		const struct client_port *port = display->ports->pdata[i];
		if (strcmp(port->path, path) == 0)
			g_ptr_array_remove_index(display->ports, i);
	}
}

static const struct dbus_ports_ops ports_ops = {
	.came = on_came,
	.went = on_went,
};

void display_open_ports(struct display *display, GDBusConnection *connection)
{
	g_assert(!display->ports);
	display->ports = g_ptr_array_new_with_free_func(port_free);
	display->qemu_bus = g_object_ref(connection);
	display->port_finder = dbus_ports_create(connection, &ports_ops, display);
}

void display_close_ports(struct display *display)
{
	g_clear_pointer(&display->port_finder, dbus_ports_destroy);
	g_clear_pointer(&display->ports, g_ptr_array_unref);
	g_clear_object(&display->qemu_bus);
}
