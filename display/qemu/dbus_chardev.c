/* SPDX-License-Identifier: MIT */
#include "display/qemu/dbus_chardev.h"

#include <errno.h>
#include <gio/gunixfdlist.h>
#include <glib-unix.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/fd.h"
#include "display/qemu/dbus_names.h"
#include "display/qemu/limits.h"

struct dbus_chardev {
	int refs;                           /* one is the owner's, and one each call's under way */
	const struct dbus_chardev_ops *ops; /* NULL: destroyed */
	void *user;
	char *name;
	char *only_path; /* NULL: any of this name */
	GCancellable *cancel;
	GDBusConnection *connection;
	guint properties_changed, interfaces_added, interfaces_removed;
	char *path; /* NULL: QEMU has no such port */
	bool is_wanted;
	bool guest_has_it_open;
	bool guest_is_to_close; /* before there is another stream */
	bool is_ending;         /* the guest has closed it, and not all that it said is received */
	bool is_registering;
	bool is_open; /* as the owner was told */
	int fd;       /* our end, which QEMU has or is being given the other one of; -1: none */
	guint read_source, write_source, later_source;
	gint64 registered_us; /* when QEMU was given a stream last */
	unsigned retry_ms;    /* 0: the last one was taken */
};

static void update(struct dbus_chardev *chardev);

static void unref(struct dbus_chardev *chardev)
{
	g_assert(chardev->refs > 0);
	if (--chardev->refs > 0)
		return;
	g_assert(!chardev->ops && chardev->fd < 0);
	g_object_unref(chardev->connection);
	g_object_unref(chardev->cancel);
	g_free(chardev->path);
	g_free(chardev->only_path);
	g_free(chardev->name);
	g_free(chardev);
}

/* ---- the stream ---- */

static void close_stream(struct dbus_chardev *chardev)
{
	g_clear_handle_id(&chardev->read_source, g_source_remove);
	g_clear_handle_id(&chardev->write_source, g_source_remove);
	fd_close(&chardev->fd);
	chardev->is_ending = false;
}

/*
 * What lies in the socket is not for the next one who opens the port, and not from it. A QEMU that
 * goes on writing is not read for ever.
 */
static bool is_clean(struct dbus_chardev *chardev)
{
	uint8_t bytes[4096];
	int unread = 0;
	ssize_t n = 1;
	for (unsigned i = 0; n > 0 && i < DBUS_CHARDEV_REST_READS; i++)
		n = recv(chardev->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	return n < 0 && errno == EAGAIN && ioctl(chardev->fd, SIOCOUTQ, &unread) == 0 &&
	       unread == 0;
}

/* Comes to the end of what the guest has said, if that is all received. */
static void end_words(struct dbus_chardev *chardev)
{
	int left_bytes = 0;
	if (!chardev->is_ending || chardev->fd < 0 ||
		(ioctl(chardev->fd, FIONREAD, &left_bytes) == 0 && left_bytes > 0))
		return;
	chardev->is_ending = false;
	if (!is_clean(chardev))
		dbus_chardev_renew(chardev);
	update(chardev);
}

static gboolean on_readable(int fd, GIOCondition condition, gpointer user)
{
	struct dbus_chardev *chardev = user;
	uint8_t bytes[DBUS_CHARDEV_READ_BYTES];
	size_t room = chardev->ops->room(chardev->user);
	if (room == 0) {
		chardev->read_source = 0;
		return G_SOURCE_REMOVE;
	}
	ssize_t n = recv(fd, bytes, MIN(room, sizeof(bytes)), MSG_DONTWAIT);
	if (n > 0) {
		chardev->ops->received(chardev->user, bytes, (size_t)n);
		end_words(chardev);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		close_stream(chardev);
		update(chardev);
	}
	return G_SOURCE_CONTINUE;
}

static gboolean on_writable(int fd, GIOCondition condition, gpointer user)
{
	struct dbus_chardev *chardev = user;
	chardev->write_source = 0;
	chardev->ops->writable(chardev->user);
	return G_SOURCE_REMOVE;
}

static void set_open(struct dbus_chardev *chardev, bool is_open)
{
	if (is_open == chardev->is_open)
		return;
	chardev->is_open = is_open;
	chardev->ops->opened(chardev->user, is_open);
	if (chardev->is_open)
		dbus_chardev_resume(chardev);
}

/* ---- giving it to QEMU ---- */

static gboolean on_later(gpointer user)
{
	struct dbus_chardev *chardev = user;
	chardev->later_source = 0;
	update(chardev);
	return G_SOURCE_REMOVE;
}

/* QEMU takes one stream at a time, and may not have noticed the end of the last one. */
static void refuse(struct dbus_chardev *chardev, const GError *error)
{
	close_stream(chardev);
	chardev->registered_us = 0;
	if (chardev->retry_ms == DBUS_CHARDEV_RETRY_MAX_MS / 2)
		g_message("qemu: port %s: %s", chardev->name, error->message);
	chardev->retry_ms =
		MIN(MAX(chardev->retry_ms * 2, DBUS_CHARDEV_RETRY_MS), DBUS_CHARDEV_RETRY_MAX_MS);
	if (!chardev->later_source)
		chardev->later_source = g_timeout_add(chardev->retry_ms, on_later, chardev);
}

static void on_registered(GObject *source, GAsyncResult *result, gpointer user)
{
	struct dbus_chardev *chardev = user;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) answer = g_dbus_connection_call_with_unix_fd_list_finish(
		G_DBUS_CONNECTION(source), NULL, result, &error);
	chardev->is_registering = false;
	if (chardev->ops && answer) {
		chardev->retry_ms = 0;
		update(chardev);
	} else if (chardev->ops) {
		refuse(chardev, error);
	}
	unref(chardev);
}

static void make_stream(struct dbus_chardev *chardev)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
		g_warning("qemu: port %s: %s", chardev->name, g_strerror(errno));
		return;
	}
	g_autoptr(GUnixFDList) fds = g_unix_fd_list_new_from_array(&ends[1], 1);
	chardev->fd = ends[0];
	chardev->is_registering = true;
	chardev->registered_us = g_get_monotonic_time();
	chardev->refs++;
	g_dbus_connection_call_with_unix_fd_list(chardev->connection, NULL, chardev->path,
		DBUS_CHARDEV_INTERFACE, "Register", g_variant_new("(h)", 0), NULL,
		G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, fds, chardev->cancel, on_registered, chardev);
}

/* A guest that reopens its port whenever its other end has gone makes no storm of it. */
static void make_stream_soon(struct dbus_chardev *chardev)
{
	gint64 passed_ms = (g_get_monotonic_time() - chardev->registered_us) / 1000;
	if (chardev->registered_us == 0 || passed_ms >= DBUS_CHARDEV_GAP_MS)
		make_stream(chardev);
	else
		chardev->later_source =
			g_timeout_add((guint)(DBUS_CHARDEV_GAP_MS - passed_ms), on_later, chardev);
}

/* Does what is to be done next, whatever has changed. */
static void update(struct dbus_chardev *chardev)
{
	if (chardev->is_registering)
		return;
	bool has_stream = chardev->fd >= 0;
	set_open(chardev, has_stream && chardev->is_wanted &&
				  (chardev->guest_has_it_open || chardev->is_ending));
	if (!chardev->is_wanted || !chardev->path)
		close_stream(chardev);
	else if (!has_stream && !chardev->guest_is_to_close && !chardev->later_source)
		make_stream_soon(chardev);
}

/* ---- what QEMU says ---- */

static void take_properties(struct dbus_chardev *chardev, GVariant *dictionary)
{
	gboolean is_open;
	if (!g_variant_lookup(dictionary, "FEOpened", "b", &is_open) ||
		is_open == chardev->guest_has_it_open)
		return;
	chardev->guest_has_it_open = is_open;
	if (!is_open)
		chardev->guest_is_to_close = false;
	/* Who opens it again meanwhile is for the client the same one. */
	chardev->is_ending = !is_open && chardev->is_open && chardev->ops->last_words;
	if (chardev->is_ending)
		end_words(chardev);
	else if (!is_open && chardev->is_open && !is_clean(chardev))
		dbus_chardev_renew(chardev);
	update(chardev);
}

/* `interfaces` is a{sa{sv}} of one object. */
static void take_object(struct dbus_chardev *chardev, const char *path, GVariant *interfaces)
{
	const char *name;
	g_autoptr(GVariant) properties =
		g_variant_lookup_value(interfaces, DBUS_CHARDEV_INTERFACE, G_VARIANT_TYPE_VARDICT);
	if (chardev->path || !properties || !g_variant_lookup(properties, "Name", "&s", &name) ||
		strcmp(name, chardev->name) != 0 ||
		(chardev->only_path && strcmp(path, chardev->only_path) != 0))
		return;
	chardev->path = g_strdup(path);
	take_properties(chardev, properties);
	update(chardev);
}

static void on_objects(GObject *source, GAsyncResult *result, gpointer user)
{
	struct dbus_chardev *chardev = user;
	g_autoptr(GVariant) answer =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, NULL);
	g_autoptr(GVariantIter) objects = NULL;
	const char *path;
	GVariant *interfaces;
	if (answer)
		g_variant_get(answer, "(a{oa{sa{sv}}})", &objects);
	while (objects && chardev->ops &&
		g_variant_iter_next(objects, "{&o@a{sa{sv}}}", &path, &interfaces)) {
		take_object(chardev, path, interfaces);
		g_variant_unref(interfaces);
	}
	unref(chardev);
}

static void on_interfaces_added(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *signal, GVariant *parameters, gpointer user)
{
	if (!g_variant_is_of_type(parameters, G_VARIANT_TYPE("(oa{sa{sv}})")))
		return;
	const char *object;
	g_autoptr(GVariant) interfaces = NULL;
	g_variant_get(parameters, "(&o@a{sa{sv}})", &object, &interfaces);
	take_object(user, object, interfaces);
}

/* QEMU has unplugged it. One of this name may come again. */
static void on_interfaces_removed(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *signal, GVariant *parameters, gpointer user)
{
	struct dbus_chardev *chardev = user;
	if (!g_variant_is_of_type(parameters, G_VARIANT_TYPE("(oas)")))
		return;
	const char *object;
	g_autofree const char **interfaces = NULL;
	g_variant_get(parameters, "(&o^a&s)", &object, &interfaces);
	if (g_strcmp0(object, chardev->path) != 0 ||
		!g_strv_contains(interfaces, DBUS_CHARDEV_INTERFACE))
		return;
	g_clear_pointer(&chardev->path, g_free);
	chardev->guest_has_it_open = chardev->guest_is_to_close = false;
	update(chardev);
}

static void on_properties_changed(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *signal, GVariant *parameters, gpointer user)
{
	struct dbus_chardev *chardev = user;
	if (!g_variant_is_of_type(parameters, G_VARIANT_TYPE("(sa{sv}as)")) ||
		g_strcmp0(path, chardev->path) != 0)
		return;
	g_autoptr(GVariant) dictionary = g_variant_get_child_value(parameters, 1);
	take_properties(chardev, dictionary);
}

/* ---- for the owner ---- */

struct dbus_chardev *dbus_chardev_create(GDBusConnection *connection, const char *name,
	const char *path, const struct dbus_chardev_ops *ops, void *user)
{
	struct dbus_chardev *chardev = g_new0(struct dbus_chardev, 1);
	chardev->refs = 2;
	chardev->ops = ops;
	chardev->user = user;
	chardev->name = g_strdup(name);
	chardev->only_path = g_strdup(path);
	chardev->cancel = g_cancellable_new();
	chardev->connection = g_object_ref(connection);
	chardev->fd = -1;
	/* First the signals, so that nothing that changes meanwhile is missed. */
	chardev->properties_changed = g_dbus_connection_signal_subscribe(connection, NULL,
		"org.freedesktop.DBus.Properties", "PropertiesChanged", NULL,
		DBUS_CHARDEV_INTERFACE, G_DBUS_SIGNAL_FLAGS_NONE, on_properties_changed, chardev,
		NULL);
	chardev->interfaces_added = g_dbus_connection_signal_subscribe(connection, NULL,
		DBUS_OBJECT_MANAGER, "InterfacesAdded", DBUS_DISPLAY_ROOT, NULL,
		G_DBUS_SIGNAL_FLAGS_NONE, on_interfaces_added, chardev, NULL);
	chardev->interfaces_removed = g_dbus_connection_signal_subscribe(connection, NULL,
		DBUS_OBJECT_MANAGER, "InterfacesRemoved", DBUS_DISPLAY_ROOT, NULL,
		G_DBUS_SIGNAL_FLAGS_NONE, on_interfaces_removed, chardev, NULL);
	g_dbus_connection_call(connection, NULL, DBUS_DISPLAY_ROOT, DBUS_OBJECT_MANAGER,
		"GetManagedObjects", NULL, G_VARIANT_TYPE("(a{oa{sa{sv}}})"),
		G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, chardev->cancel, on_objects, chardev);
	return chardev;
}

void dbus_chardev_destroy(struct dbus_chardev *chardev)
{
	if (!chardev)
		return;
	chardev->ops = NULL;
	g_cancellable_cancel(chardev->cancel);
	g_dbus_connection_signal_unsubscribe(chardev->connection, chardev->properties_changed);
	g_dbus_connection_signal_unsubscribe(chardev->connection, chardev->interfaces_added);
	g_dbus_connection_signal_unsubscribe(chardev->connection, chardev->interfaces_removed);
	g_clear_handle_id(&chardev->later_source, g_source_remove);
	close_stream(chardev);
	unref(chardev);
}

void dbus_chardev_want(struct dbus_chardev *chardev, bool wanted)
{
	chardev->is_wanted = wanted;
	update(chardev);
}

void dbus_chardev_renew(struct dbus_chardev *chardev)
{
	chardev->guest_is_to_close = chardev->guest_has_it_open;
	if (!chardev->is_registering)
		close_stream(chardev);
	update(chardev);
}

size_t dbus_chardev_send(struct dbus_chardev *chardev, const uint8_t *bytes, size_t n_bytes)
{
	if (!chardev->is_open)
		return 0;
	ssize_t n = send(chardev->fd, bytes, n_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
	size_t taken = n > 0 ? (size_t)n : 0;
	/* A stream that has ended is noticed by who reads; it would be said to be writable for
	 * ever. */
	bool goes_on = n >= 0 || errno == EAGAIN || errno == EINTR || errno == ENOBUFS;
	if (taken < n_bytes && goes_on && !chardev->write_source)
		chardev->write_source = g_unix_fd_add(
			chardev->fd, G_IO_OUT | G_IO_HUP | G_IO_ERR, on_writable, chardev);
	return taken;
}

void dbus_chardev_resume(struct dbus_chardev *chardev)
{
	if (chardev->is_open && !chardev->read_source)
		chardev->read_source = g_unix_fd_add(
			chardev->fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, chardev);
}
