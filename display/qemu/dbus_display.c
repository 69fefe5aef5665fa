/* SPDX-License-Identifier: MIT */
#include "display/qemu/dbus_display.h"

#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "display/qemu/pointer.h"

/*
 * Every console has Keyboard and Mouse, and all lead to the guest's one keyboard and pointer. We
 * use those of our device's, since positions are bounded by a console's size.
 */
#define INTERFACE "org.qemu.Display1."
/* QEMU's end has gone with ours, and the keeper makes another pair for another display alone. */
#define NO_QEMU "no keyboard, no pointer and no sound until display is replaced: %s"

struct dbus_display {
	int refs;                           /* one is the owner's, and one each call's under way */
	const struct dbus_display_ops *ops; /* NULL: destroyed */
	void *user;
	struct inputs *inputs;
	GCancellable *cancel;
	GDBusConnection *connection; /* NULL while connecting and after QEMU has left */
	guint properties_changed;
	gulong closed;
	struct dbus_consoles *consoles;         /* NULL while there is no connection */
	uint32_t desktop_width, desktop_height; /* 0: not known yet */
	bool complained;                        /* a refused input was logged */
};

static void dbus_display_unref(struct dbus_display *dbus)
{
	g_assert(dbus->refs > 0);
	if (--dbus->refs > 0)
		return;
	g_assert(!dbus->ops && !dbus->connection);
	g_object_unref(dbus->cancel);
	g_free(dbus);
}

/* ---- properties ---- */

static void on_absolute(struct dbus_display *dbus, GVariant *value)
{
	dbus->ops->absolute(dbus->user, g_variant_get_boolean(value));
}

static void on_modifiers(struct dbus_display *dbus, GVariant *value)
{
	dbus->ops->leds(dbus->user, g_variant_get_uint32(value));
}

static const struct {
	const char *name, *type;
	void (*set)(struct dbus_display *dbus, GVariant *value);
} properties[] = {
	{ "IsAbsolute", "b", on_absolute },
	{ "Modifiers", "u", on_modifiers },
};

static void take_properties(struct dbus_display *dbus, GVariant *dictionary)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(properties) && dbus->ops; i++) {
		g_autoptr(GVariant) value = g_variant_lookup_value(
			dictionary, properties[i].name, G_VARIANT_TYPE(properties[i].type));
		if (value)
			properties[i].set(dbus, value);
	}
}

static void on_properties_changed(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *signal, GVariant *parameters, gpointer user)
{
	if (!g_variant_is_of_type(parameters, G_VARIANT_TYPE("(sa{sv}as)")))
		return;
	g_autoptr(GVariant) dictionary = g_variant_get_child_value(parameters, 1);
	take_properties(user, dictionary);
}

static void on_all_properties(GObject *source, GAsyncResult *result, gpointer user)
{
	struct dbus_display *dbus = user;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) answer =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
	if (answer && dbus->ops) {
		g_autoptr(GVariant) dictionary = g_variant_get_child_value(answer, 0);
		take_properties(dbus, dictionary);
	} else if (dbus->ops) {
		g_message("qemu: our console lacks an interface: %s", error->message);
	}
	dbus_display_unref(dbus);
}

static void ask_properties(struct dbus_display *dbus, const char *interface)
{
	dbus->refs++;
	g_dbus_connection_call(dbus->connection, NULL, dbus_consoles_get_path(dbus->consoles),
		"org.freedesktop.DBus.Properties", "GetAll", g_variant_new("(s)", interface),
		G_VARIANT_TYPE("(a{sv})"), G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, dbus->cancel,
		on_all_properties, dbus);
}

static void follow_console(struct dbus_display *dbus)
{
	if (dbus->properties_changed)
		g_dbus_connection_signal_unsubscribe(dbus->connection, dbus->properties_changed);
	dbus->properties_changed = g_dbus_connection_signal_subscribe(dbus->connection, NULL,
		"org.freedesktop.DBus.Properties", "PropertiesChanged",
		dbus_consoles_get_path(dbus->consoles), NULL, G_DBUS_SIGNAL_FLAGS_NONE,
		on_properties_changed, dbus, NULL);
	ask_properties(dbus, INTERFACE "Mouse");
	ask_properties(dbus, INTERFACE "Keyboard");
}

static void on_console_moved(void *user)
{
	follow_console(user);
}

static void on_heads(void *user, unsigned n_heads)
{
	struct dbus_display *dbus = user;
	dbus->ops->heads(dbus->user, n_heads);
}

static const struct dbus_consoles_ops consoles_ops = {
	.moved = on_console_moved,
	.heads = on_heads,
};

/* ---- connection ---- */

static void drop_connection(struct dbus_display *dbus)
{
	if (!dbus->connection)
		return;
	g_clear_pointer(&dbus->consoles, dbus_consoles_destroy);
	g_signal_handler_disconnect(dbus->connection, dbus->closed);
	g_dbus_connection_signal_unsubscribe(dbus->connection, dbus->properties_changed);
	g_clear_object(&dbus->connection);
}

static void on_closed(GDBusConnection *connection, gboolean vanished, GError *error, gpointer user)
{
	struct dbus_display *dbus = user;
	g_message("qemu: D-Bus display closed%s%s: no keyboard, no pointer and no sound",
		error ? ": " : "", error ? error->message : "");
	drop_connection(dbus);
	dbus->ops->connected(dbus->user, NULL);
}

static void on_connected(GObject *source, GAsyncResult *result, gpointer user)
{
	struct dbus_display *dbus = user;
	g_autoptr(GError) error = NULL;
	g_autoptr(GDBusConnection) connection = g_dbus_connection_new_finish(result, &error);
	if (!dbus->ops) {
		dbus_display_unref(dbus);
		return;
	}
	if (!connection) {
		g_warning("qemu: " NO_QEMU, error->message);
		dbus_display_unref(dbus);
		return;
	}
	dbus->connection = g_steal_pointer(&connection);
	g_dbus_connection_set_exit_on_close(dbus->connection, FALSE);
	dbus->closed = g_signal_connect(dbus->connection, "closed", G_CALLBACK(on_closed), dbus);
	dbus->consoles = dbus_consoles_create(dbus->connection, &consoles_ops, dbus);
	dbus_consoles_set_desktop(dbus->consoles, dbus->desktop_width, dbus->desktop_height);
	dbus->ops->connected(dbus->user, dbus->connection);
	if (dbus->consoles)
		follow_console(dbus);
	dbus_display_unref(dbus);
}

/*
 * QEMU compares who we say that we are with who made the pair of sockets. That was the keeper, and
 * where it is another user, GLib from 2.74 on can leave it to QEMU to see who we are. (The starter
 * gives us another user only with such a GLib.)
 */
static GDBusConnectionFlags choose_flags(GSocket *socket)
{
	GDBusConnectionFlags flags = G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT;
#if GLIB_CHECK_VERSION(2, 74, 0)
	struct ucred maker;
	socklen_t size = sizeof(maker);
	if (getsockopt(g_socket_get_fd(socket), SOL_SOCKET, SO_PEERCRED, &maker, &size) == 0 &&
		maker.uid != getuid())
		flags |= G_DBUS_CONNECTION_FLAGS_CROSS_NAMESPACE;
#endif
	return flags;
}

struct dbus_display *dbus_display_create(
	int fd, struct inputs *inputs, const struct dbus_display_ops *ops, void *user)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GSocket) socket = g_socket_new_from_fd(fd, &error);
	if (!socket) {
		g_warning("qemu: " NO_QEMU, error->message);
		close(fd);
		return NULL;
	}
	g_autoptr(GSocketConnection) stream = g_socket_connection_factory_create_connection(socket);
	struct dbus_display *dbus = g_new0(struct dbus_display, 1);
	dbus->refs = 2;
	dbus->ops = ops;
	dbus->user = user;
	dbus->inputs = inputs;
	dbus->cancel = g_cancellable_new();
	/* g_dbus_connection_new() of GLib 2.74 does not take one of its own flags. */
	g_async_initable_new_async(G_TYPE_DBUS_CONNECTION, G_PRIORITY_DEFAULT, dbus->cancel,
		on_connected, dbus, "stream", stream, "flags", choose_flags(socket), NULL);
	return dbus;
}

void dbus_display_destroy(struct dbus_display *dbus)
{
	if (!dbus)
		return;
	dbus->ops = NULL;
	g_cancellable_cancel(dbus->cancel);
	drop_connection(dbus);
	dbus_display_unref(dbus);
}

/* ---- calls ---- */

static void complain(struct dbus_display *dbus, const GError *error)
{
	if (!dbus->complained && !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED) &&
		!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CLOSED))
		g_message("qemu: refused an input: %s", error->message);
	dbus->complained = true;
}

static void on_input_answered(GObject *source, GAsyncResult *result, gpointer user)
{
	struct dbus_display *dbus = user;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) answer =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
	if (dbus->ops && dbus->connection) {
		if (error)
			complain(dbus, error);
		inputs_answered(dbus->inputs);
		dbus_display_send_inputs(dbus);
	}
	dbus_display_unref(dbus);
}

static void call_input(
	struct dbus_display *dbus, const char *interface, const char *method, GVariant *parameters)
{
	dbus->refs++;
	g_dbus_connection_call(dbus->connection, NULL, dbus_consoles_get_path(dbus->consoles),
		interface, method, parameters, NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, -1,
		dbus->cancel, on_input_answered, dbus);
}

static void send_event(struct dbus_display *dbus, const struct input_event *event)
{
	const char *press = event->down ? "Press" : "Release";
	uint32_t x, y, width, height;
	switch (event->kind) {
	case INPUT_KEY:
		call_input(dbus, INTERFACE "Keyboard", press, g_variant_new("(u)", event->code));
		break;
	case INPUT_BUTTON:
		call_input(dbus, INTERFACE "Mouse", press, g_variant_new("(u)", event->code));
		break;
	case INPUT_ABSOLUTE:
		dbus_consoles_get_size(dbus->consoles, &width, &height);
		x = pointer_map(event->x, event->desktop_width, width);
		y = pointer_map(event->y, event->desktop_height, height);
		call_input(dbus, INTERFACE "Mouse", "SetAbsPosition", g_variant_new("(uu)", x, y));
		break;
	case INPUT_RELATIVE:
		call_input(dbus, INTERFACE "Mouse", "RelMotion",
			g_variant_new("(ii)", event->x, event->y));
		break;
	}
}

void dbus_display_send_inputs(struct dbus_display *dbus)
{
	struct input_event event;
	while (dbus->connection && inputs_next(dbus->inputs, &event))
		send_event(dbus, &event);
}

void dbus_display_set_desktop(struct dbus_display *dbus, uint32_t width, uint32_t height)
{
	dbus->desktop_width = width;
	dbus->desktop_height = height;
	if (dbus->consoles)
		dbus_consoles_set_desktop(dbus->consoles, width, height);
}

void dbus_display_want_head(
	struct dbus_display *dbus, unsigned head, const struct dbus_consoles_size *size)
{
	if (dbus->consoles)
		dbus_consoles_want(dbus->consoles, head, size);
}
