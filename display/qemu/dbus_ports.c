/* SPDX-License-Identifier: MIT */
#include "display/qemu/dbus_ports.h"

#include <stdbool.h>

#include "display/qemu/dbus_names.h"
#include "display/qemu/limits.h"

struct dbus_ports {
	int refs;                         /* one is the owner's, and one the call's under way */
	const struct dbus_ports_ops *ops; /* NULL: destroyed */
	void *user;
	GDBusConnection *connection;
	GCancellable *cancel;
	guint added, removed;
	GHashTable *paths; /* of those that were told */
	bool is_full;
};

static void unref(struct dbus_ports *ports)
{
	g_assert(ports->refs > 0);
	if (--ports->refs > 0)
		return;
	g_hash_table_unref(ports->paths);
	g_object_unref(ports->connection);
	g_object_unref(ports->cancel);
	g_free(ports);
}

static bool has_room(struct dbus_ports *ports)
{
	if (g_hash_table_size(ports->paths) < DBUS_PORTS_MAX)
		return true;
	if (!ports->is_full)
		g_warning("qemu: more than %d ports; the others are left alone", DBUS_PORTS_MAX);
	ports->is_full = true;
	return false;
}

/* `interfaces` is a{sa{sv}} of one object. */
static void take_object(struct dbus_ports *ports, const char *path, GVariant *interfaces)
{
	const char *name;
	g_autoptr(GVariant) properties =
		g_variant_lookup_value(interfaces, DBUS_CHARDEV_INTERFACE, G_VARIANT_TYPE_VARDICT);
	if (!properties || !g_variant_lookup(properties, "Name", "&s", &name) ||
		g_hash_table_contains(ports->paths, path) || !has_room(ports))
		return;
	g_hash_table_add(ports->paths, g_strdup(path));
	ports->ops->came(ports->user, path, name);
}

static void on_objects(GObject *source, GAsyncResult *result, gpointer user)
{
	struct dbus_ports *ports = user;
	g_autoptr(GVariant) answer =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, NULL);
	g_autoptr(GVariantIter) objects = NULL;
	const char *path;
	GVariant *interfaces;
	if (answer)
		g_variant_get(answer, "(a{oa{sa{sv}}})", &objects);
	while (objects && ports->ops &&
		g_variant_iter_next(objects, "{&o@a{sa{sv}}}", &path, &interfaces)) {
		take_object(ports, path, interfaces);
		g_variant_unref(interfaces);
	}
	unref(ports);
}

static void on_added(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *signal, GVariant *parameters, gpointer user)
{
	const char *object;
	g_autoptr(GVariant) interfaces = NULL;
	if (!g_variant_is_of_type(parameters, G_VARIANT_TYPE("(oa{sa{sv}})")))
		return;
	g_variant_get(parameters, "(&o@a{sa{sv}})", &object, &interfaces);
	take_object(user, object, interfaces);
}

static void on_removed(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *signal, GVariant *parameters, gpointer user)
{
	struct dbus_ports *ports = user;
	const char *object;
	g_autofree const char **interfaces = NULL;
	if (!g_variant_is_of_type(parameters, G_VARIANT_TYPE("(oas)")))
		return;
	g_variant_get(parameters, "(&o^a&s)", &object, &interfaces);
	if (g_strv_contains(interfaces, DBUS_CHARDEV_INTERFACE) &&
		g_hash_table_remove(ports->paths, object))
		ports->ops->went(ports->user, object);
}

struct dbus_ports *dbus_ports_create(
	GDBusConnection *connection, const struct dbus_ports_ops *ops, void *user)
{
	struct dbus_ports *ports = g_new0(struct dbus_ports, 1);
	ports->refs = 2;
	ports->ops = ops;
	ports->user = user;
	ports->connection = g_object_ref(connection);
	ports->cancel = g_cancellable_new();
	ports->paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	/* First the signals, so that nothing that comes meanwhile is missed. */
	ports->added = g_dbus_connection_signal_subscribe(connection, NULL, DBUS_OBJECT_MANAGER,
		"InterfacesAdded", DBUS_DISPLAY_ROOT, NULL, G_DBUS_SIGNAL_FLAGS_NONE, on_added,
		ports, NULL);
	ports->removed = g_dbus_connection_signal_subscribe(connection, NULL, DBUS_OBJECT_MANAGER,
		"InterfacesRemoved", DBUS_DISPLAY_ROOT, NULL, G_DBUS_SIGNAL_FLAGS_NONE, on_removed,
		ports, NULL);
	g_dbus_connection_call(connection, NULL, DBUS_DISPLAY_ROOT, DBUS_OBJECT_MANAGER,
		"GetManagedObjects", NULL, G_VARIANT_TYPE("(a{oa{sa{sv}}})"),
		G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, ports->cancel, on_objects, ports);
	return ports;
}

void dbus_ports_destroy(struct dbus_ports *ports)
{
	if (!ports)
		return;
	ports->ops = NULL;
	g_cancellable_cancel(ports->cancel);
	g_dbus_connection_signal_unsubscribe(ports->connection, ports->added);
	g_dbus_connection_signal_unsubscribe(ports->connection, ports->removed);
	unref(ports);
}
