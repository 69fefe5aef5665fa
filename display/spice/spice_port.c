/* SPDX-License-Identifier: MIT */
#include "display/spice/spice_port.h"

#include <glib.h>
#include <spice.h>
#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>

#include "common/peer_log.h"
#include "display/line/intake.h"
#include "display/qemu/usb_guard.h"
#include "display/spice/limits.h"

struct spice_port {
	SpiceServer *server;
	struct intake *intake;
	enum spice_port_kind kind;
	char *name;
	uint8_t id;
	const struct spice_port_ops *ops;
	void *user;
	SpiceCharDeviceInstance instance;
	bool is_plugged; /* spice-server has the instance */
	bool has_client;
	bool is_open;
	guint cut_source;        /* the client is to lose the channel; 0: it is not */
	GByteArray *to_guest;    /* what the guest has not taken; NULL: there is no client */
	GByteArray *to_client;   /* what spice-server has not taken; NULL: there is no client */
	struct usb_guard *guard; /* NULL: no client, or no USB */
};

static const struct {
	const char *what, *subtype;
	uint8_t channel;
} kinds[SPICE_PORT_KINDS] = {
	[SPICE_PORT_USB] = { "usb", "usbredir", SPICE_CHANNEL_USBREDIR },
	[SPICE_PORT_FOLDER] = { "folder", "port", SPICE_CHANNEL_WEBDAV },
	[SPICE_PORT_NAMED] = { "port", "port", SPICE_CHANNEL_PORT },
};

static struct spice_port *port_of(SpiceCharDeviceInstance *instance)
{
	return SPICE_CONTAINEROF(instance, struct spice_port, instance);
}

static bool plug(struct spice_port *port)
{
	port->is_plugged = spice_server_add_interface(port->server, &port->instance.base) == 0;
	if (!port->is_plugged)
		g_warning("%s %s: spice-server refuses it", kinds[port->kind].what, port->name);
	return port->is_plugged;
}

static void unplug(struct spice_port *port)
{
	if (port->is_plugged)
		spice_server_remove_interface(&port->instance.base);
	port->is_plugged = false;
}

/* ---- a client loses the channel ---- */

/* spice-server has no other way to end a channel. The next one has the same number. */
static gboolean on_cut(gpointer user)
{
	struct spice_port *port = user;
	port->cut_source = 0;
	unplug(port);
	if (plug(port) && port->is_open)
		spice_server_port_event(&port->instance, SPICE_PORT_EVENT_OPENED);
	return G_SOURCE_REMOVE;
}

/* It may be spice-server that has called. */
static void cut(struct spice_port *port, const char *why)
{
	if (port->cut_source)
		return;
	peer_warning(PEER_VIEWER, "%s %s: the client loses it: %s", kinds[port->kind].what,
		port->name, why);
	port->cut_source = g_idle_add_full(G_PRIORITY_DEFAULT, on_cut, port, NULL);
}

/* ---- to the guest ---- */

static void set_shut(struct spice_port *port)
{
	bool is_shut = port->to_guest && port->to_guest->len > 0;
	intake_shut(port->intake, kinds[port->kind].channel, port->id, is_shut);
}

static void send_guest(struct spice_port *port)
{
	GByteArray *waits = port->to_guest;
	if (waits && waits->len > 0) {
		size_t taken = port->ops->send(port->user, waits->data, waits->len);
		g_byte_array_remove_range(waits, 0, (guint)taken);
	}
	set_shut(port);
}

/*
 * A client says nothing to a guest that has not opened its port, and what it says too late goes
 * nowhere. Of USB the first words may come before QEMU has its stream.
 */
static bool is_taken(const struct spice_port *port)
{
	return port->to_guest && !port->cut_source &&
	       (port->is_open || port->kind == SPICE_PORT_USB);
}

static int port_write(SpiceCharDeviceInstance *instance, const uint8_t *bytes, int n_bytes)
{
	struct spice_port *port = port_of(instance);
	size_t n = (size_t)n_bytes, taken = 0;
	if (!is_taken(port))
		return n_bytes;
	const char *fault = port->guard ? usb_guard_judge(port->guard, bytes, n) : NULL;
	if (!fault && port->to_guest->len + n > SPICE_PORT_WAITS_MAX_BYTES)
		fault = "it sends more than it may";
	if (fault) {
		cut(port, fault);
		return n_bytes;
	}
	if (port->to_guest->len == 0)
		taken = port->ops->send(port->user, bytes, n);
	g_byte_array_append(port->to_guest, bytes + taken, (guint)(n - taken));
	set_shut(port);
	return n_bytes;
}

void spice_port_writable(struct spice_port *port)
{
	send_guest(port);
}

/* ---- to the client ---- */

size_t spice_port_room(struct spice_port *port)
{
	return port->to_client ? SPICE_PORT_READ_BYTES - port->to_client->len : 0;
}

void spice_port_received(struct spice_port *port, const uint8_t *bytes, size_t n_bytes)
{
	if (!port->to_client)
		return;
	if (port->guard)
		usb_guard_hear_qemu(port->guard, bytes, n_bytes);
	g_byte_array_append(port->to_client, bytes, (guint)n_bytes);
	if (port->is_plugged)
		spice_server_char_device_wakeup(&port->instance);
}

static int port_read(SpiceCharDeviceInstance *instance, uint8_t *bytes, int n_bytes)
{
	struct spice_port *port = port_of(instance);
	if (!port->to_client || port->to_client->len == 0)
		return 0;
	guint n = MIN((guint)n_bytes, port->to_client->len);
	memcpy(bytes, port->to_client->data, n);
	g_byte_array_remove_range(port->to_client, 0, n);
	port->ops->resume(port->user);
	return (int)n;
}

/* ---- who is there ---- */

static void forget(struct spice_port *port)
{
	g_clear_pointer(&port->to_guest, g_byte_array_unref);
	g_clear_pointer(&port->to_client, g_byte_array_unref);
	g_clear_pointer(&port->guard, g_free);
}

static void port_state(SpiceCharDeviceInstance *instance, int connected)
{
	struct spice_port *port = port_of(instance);
	if (port->has_client == (connected != 0))
		return;
	port->has_client = connected != 0;
	g_info("%s %s: a client %s", kinds[port->kind].what, port->name,
		port->has_client ? "has it" : "has left it");
	forget(port);
	if (port->has_client) {
		port->to_guest = g_byte_array_new();
		port->to_client = g_byte_array_new();
		if (port->kind == SPICE_PORT_USB)
			port->guard = g_new0(struct usb_guard, 1);
	}
	set_shut(port);
	port->ops->want(port->user, port->has_client);
}

void spice_port_opened(struct spice_port *port, bool is_open)
{
	port->is_open = is_open;
	if (port->kind == SPICE_PORT_USB && !is_open && port->has_client)
		cut(port, "QEMU has closed the device's stream");
	if (!is_open && port->to_guest)
		g_byte_array_set_size(port->to_guest, 0);
	if (port->is_plugged && port->kind != SPICE_PORT_USB)
		spice_server_port_event(&port->instance,
			is_open ? SPICE_PORT_EVENT_OPENED : SPICE_PORT_EVENT_CLOSED);
	send_guest(port);
}

static const SpiceCharDeviceInterface port_interface = {
	.base = {
		.type = SPICE_INTERFACE_CHAR_DEVICE,
		.description = "vitrine port",
		.major_version = SPICE_INTERFACE_CHAR_DEVICE_MAJOR,
		.minor_version = SPICE_INTERFACE_CHAR_DEVICE_MINOR,
	},
	.state = port_state,
	.write = port_write,
	.read = port_read,
	.flags = SPICE_CHAR_DEVICE_NOTIFY_WRITABLE,
};

struct spice_port *spice_port_create(struct RedsState *server, struct intake *intake,
	const struct spice_port_options *options, const struct spice_port_ops *ops, void *user)
{
	struct spice_port *port = g_new0(struct spice_port, 1);
	port->server = server;
	port->intake = intake;
	port->kind = options->kind;
	port->name = g_strdup(options->name);
	port->id = (uint8_t)options->id;
	port->ops = ops;
	port->user = user;
	port->instance.base.sif = &port_interface.base;
	port->instance.subtype = kinds[port->kind].subtype;
	port->instance.portname = port->name;
	if (plug(port))
		return port;
	spice_port_destroy(port);
	return NULL;
}

void spice_port_destroy(struct spice_port *port)
{
	if (!port)
		return;
	g_clear_handle_id(&port->cut_source, g_source_remove);
	unplug(port);
	forget(port);
	set_shut(port);
	g_free(port->name);
	g_free(port);
}
