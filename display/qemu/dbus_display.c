/* SPDX-License-Identifier: MIT */
#include "display/qemu/dbus_display.h"

#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "display/qemu/pointer.h"

/* Every console has Keyboard and Mouse, and all lead to the guest's one keyboard and pointer. */
#define CONSOLE_0 "/org/qemu/Display1/Console_0"
#define INTERFACE "org.qemu.Display1."
/* QEMU takes a console to have this size in pixels until it is told one (ui/console.c). */
#define PLACEHOLDER_WIDTH 640
#define PLACEHOLDER_HEIGHT 480
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
	uint32_t console_width, console_height;
	bool complained; /* a refused input was logged */
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

static void on_width(struct dbus_display *dbus, GVariant *value)
{
	dbus->console_width = MAX(g_variant_get_uint32(value), 1);
}

static void on_height(struct dbus_display *dbus, GVariant *value)
{
	dbus->console_height = MAX(g_variant_get_uint32(value), 1);
}

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
	{ "Width", "u", on_width },
	{ "Height", "u", on_height },
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
		g_message("qemu: console 0 lacks an interface: %s", error->message);
	}
	dbus_display_unref(dbus);
}

static void ask_properties(struct dbus_display *dbus, const char *interface)
{
	dbus->refs++;
	g_dbus_connection_call(dbus->connection, NULL, CONSOLE_0, "org.freedesktop.DBus.Properties",
		"GetAll", g_variant_new("(s)", interface), G_VARIANT_TYPE("(a{sv})"),
		G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, dbus->cancel, on_all_properties, dbus);
}

/* ---- connection ---- */

static void drop_connection(struct dbus_display *dbus)
{
	if (!dbus->connection)
		return;
	g_signal_handler_disconnect(dbus->connection, dbus->closed);
	g_dbus_connection_signal_unsubscribe(dbus->connection, dbus->properties_changed);
	g_clear_object(&dbus->connection);
}

static void on_closed(GDBusConnection *connection, gboolean vanished, GError *error, gpointer user)
{
	struct dbus_display *dbus = user;
	if (!vanished && error)
		g_warning("qemu: " NO_QEMU, error->message);
	else
		g_message("qemu: D-Bus display closed%s%s", error ? ": " : "",
			error ? error->message : "");
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
	dbus->properties_changed = g_dbus_connection_signal_subscribe(dbus->connection, NULL,
		"org.freedesktop.DBus.Properties", "PropertiesChanged", CONSOLE_0, NULL,
		G_DBUS_SIGNAL_FLAGS_NONE, on_properties_changed, dbus, NULL);
	dbus->ops->connected(dbus->user, dbus->connection);
	ask_properties(dbus, INTERFACE "Console");
	ask_properties(dbus, INTERFACE "Mouse");
	ask_properties(dbus, INTERFACE "Keyboard");
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
	dbus->console_width = PLACEHOLDER_WIDTH;
	dbus->console_height = PLACEHOLDER_HEIGHT;
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
	g_dbus_connection_call(dbus->connection, NULL, CONSOLE_0, interface, method, parameters,
		NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, dbus->cancel, on_input_answered, dbus);
}

static void send_event(struct dbus_display *dbus, const struct input_event *event)
{
	const char *press = event->down ? "Press" : "Release";
	uint32_t x, y;
	switch (event->kind) {
	case INPUT_KEY:
		call_input(dbus, INTERFACE "Keyboard", press, g_variant_new("(u)", event->code));
		break;
	case INPUT_BUTTON:
		call_input(dbus, INTERFACE "Mouse", press, g_variant_new("(u)", event->code));
		break;
	case INPUT_ABSOLUTE:
		x = pointer_map(event->x, event->desktop_width, dbus->console_width);
		y = pointer_map(event->y, event->desktop_height, dbus->console_height);
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

static void on_ui_info_answered(GObject *source, GAsyncResult *result, gpointer user)
{
	struct dbus_display *dbus = user;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) answer =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
	if (error && dbus->ops && dbus->connection)
		g_message("qemu: a head cannot be resized: %s", error->message);
	dbus_display_unref(dbus);
}

void dbus_display_set_ui_info(struct dbus_display *dbus, unsigned head, int32_t x, int32_t y,
	uint32_t width, uint32_t height, uint32_t width_mm, uint32_t height_mm)
{
	if (!dbus->connection)
		return;
	g_autofree char *path = g_strdup_printf("/org/qemu/Display1/Console_%u", head);
	dbus->refs++;
	g_dbus_connection_call(dbus->connection, NULL, path, INTERFACE "Console", "SetUIInfo",
		g_variant_new("(qqiiuu)", (guint16)MIN(width_mm, G_MAXUINT16),
			(guint16)MIN(height_mm, G_MAXUINT16), x, y, width, height),
		NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, dbus->cancel, on_ui_info_answered, dbus);
}
