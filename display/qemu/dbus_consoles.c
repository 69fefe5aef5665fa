/* SPDX-License-Identifier: MIT */
#include "display/qemu/dbus_consoles.h"

#include <string.h>

#include "common/peer_log.h"
#include "display/qemu/consoles.h"
#include "protocol/frame_link.h"

#define VM_PATH "/org/qemu/Display1/VM"
#define CONSOLE_PREFIX "/org/qemu/Display1/Console_"
#define CONSOLE_PATH CONSOLE_PREFIX "%u"
#define CONSOLE_INTERFACE "org.qemu.Display1.Console"
#define PROPERTIES_INTERFACE "org.freedesktop.DBus.Properties"
#define UNSUPPORTED "org.qemu.Display1.Error.Unsupported"
/* QEMU takes a console to have this size in pixels until it is told one (ui/console.c). */
#define PLACEHOLDER_WIDTH 640
#define PLACEHOLDER_HEIGHT 480
/* The keeper has QEMU believe in a console of so many times the desktop's size (pointer.h). */
#define TOLD_FACTOR 2

struct console_wish {
	struct dbus_consoles_size size;
	bool due;       /* QEMU was not asked for this one yet */
	bool in_flight; /* it has not answered yet */
};

struct dbus_consoles {
	int refs;                            /* one is the owner's, and one each call's under way */
	const struct dbus_consoles_ops *ops; /* NULL: destroyed */
	void *user;
	GCancellable *cancel;
	GDBusConnection *connection;
	guint properties_changed;
	struct consoles consoles;
	unsigned n_asked; /* consoles whose properties have not come yet */
	bool is_known;    /* QEMU has told of all its consoles */
	bool said_other;
	char path[sizeof(CONSOLE_PATH) + 16]; /* of head 0 */
	unsigned n_heads;
	struct console_wish wishes[FRAME_HEADS_MAX];
};

/* What belongs to a call until its answer comes. */
struct call {
	struct dbus_consoles *consoles;
	uint32_t console; /* id */
	unsigned head;
};

static struct call *call_begin(struct dbus_consoles *consoles, uint32_t console, unsigned head)
{
	struct call *call = g_new0(struct call, 1);
	*call = (struct call){ consoles, console, head };
	consoles->refs++;
	return call;
}

static void consoles_unref(struct dbus_consoles *consoles)
{
	g_assert(consoles->refs > 0);
	if (--consoles->refs > 0)
		return;
	g_assert(!consoles->ops);
	g_object_unref(consoles->connection);
	g_object_unref(consoles->cancel);
	g_free(consoles);
}

static void call_end(struct call *call)
{
	consoles_unref(call->consoles);
	g_free(call);
}

/* ---- wishes ---- */

static void send_wishes(struct dbus_consoles *consoles);

static void on_wish_answered(GObject *source, GAsyncResult *result, gpointer user)
{
	struct call *call = user;
	struct dbus_consoles *consoles = call->consoles;
	struct console_wish *wish = &consoles->wishes[call->head];
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) answer =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
	wish->in_flight = false;
	if (error && consoles->ops) {
		g_autofree char *name = g_dbus_error_get_remote_error(error);
		struct console_facts *console = consoles_get(&consoles->consoles, call->console);
		const struct console_facts *other;
		if (console && g_strcmp0(name, UNSUPPORTED) == 0)
			console->refused = true;
		other = consoles_find(&consoles->consoles, call->head);
		if (other && other->id != call->console)
			wish->due = true;
		else if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CLOSED))
			peer_warning(PEER_QEMU, "qemu: head %u cannot be resized: %s", call->head,
				error->message);
	}
	if (consoles->ops)
		send_wishes(consoles);
	call_end(call);
}

static void send_wish(struct dbus_consoles *consoles, unsigned head)
{
	struct console_wish *wish = &consoles->wishes[head];
	const struct console_facts *console = consoles_find(&consoles->consoles, head);
	const struct dbus_consoles_size *size = &wish->size;
	char path[sizeof(consoles->path)];
	if (!wish->due || wish->in_flight || (!console && !consoles->is_known))
		return;
	wish->due = false;
	if (!console)
		return;
	wish->in_flight = true;
	g_snprintf(path, sizeof(path), CONSOLE_PATH, console->id);
	g_dbus_connection_call(consoles->connection, NULL, path, CONSOLE_INTERFACE, "SetUIInfo",
		g_variant_new("(qqiiuu)", (guint16)MIN(size->width_mm, G_MAXUINT16),
			(guint16)MIN(size->height_mm, G_MAXUINT16), size->x, size->y, size->width,
			size->height),
		NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, consoles->cancel, on_wish_answered,
		call_begin(consoles, console->id, head));
}

static void send_wishes(struct dbus_consoles *consoles)
{
	for (unsigned head = 0; head < FRAME_HEADS_MAX; head++)
		send_wish(consoles, head);
}

void dbus_consoles_want(
	struct dbus_consoles *consoles, unsigned head, const struct dbus_consoles_size *size)
{
	g_assert(head < FRAME_HEADS_MAX);
	consoles->wishes[head].size = *size;
	consoles->wishes[head].due = true;
	send_wish(consoles, head);
}

/* ---- which consoles are ours ---- */

static void say_other(struct dbus_consoles *consoles)
{
	const char *other = consoles_other(&consoles->consoles);
	if (!other || consoles->said_other)
		return;
	consoles->said_other = true;
	g_autofree char *label = g_strcanon(g_strdup(other),
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", '?');
	g_message("qemu: the machine has a second display device, %s, and what that shows no "
		  "client sees; -vga none leaves QEMU's own out",
		label);
}

/* Acts on what is known now; the owner may destroy us. */
static void choose(struct dbus_consoles *consoles)
{
	if (!consoles->is_known)
		return;
	const struct console_facts *ours = consoles_find(&consoles->consoles, 0);
	char path[sizeof(consoles->path)];
	g_snprintf(path, sizeof(path), CONSOLE_PATH, ours ? ours->id : 0);
	say_other(consoles);
	consoles->refs++;
	if (strcmp(path, consoles->path) != 0) {
		memcpy(consoles->path, path, sizeof(path));
		consoles->ops->moved(consoles->user);
	}
	unsigned n_heads = MIN(consoles_count_heads(&consoles->consoles), FRAME_HEADS_MAX);
	if (consoles->ops && n_heads != consoles->n_heads) {
		consoles->n_heads = n_heads;
		consoles->ops->heads(consoles->user, n_heads);
	}
	if (consoles->ops)
		send_wishes(consoles);
	consoles_unref(consoles);
}

void dbus_consoles_set_desktop(struct dbus_consoles *consoles, uint32_t width, uint32_t height)
{
	consoles->consoles.told_width = width * TOLD_FACTOR;
	consoles->consoles.told_height = height * TOLD_FACTOR;
	choose(consoles);
}

const char *dbus_consoles_get_path(const struct dbus_consoles *consoles)
{
	return consoles->path;
}

void dbus_consoles_get_size(const struct dbus_consoles *consoles, uint32_t *width, uint32_t *height)
{
	const struct console_facts *ours = consoles_find(&consoles->consoles, 0);
	*width = MAX(ours ? ours->width : PLACEHOLDER_WIDTH, 1);
	*height = MAX(ours ? ours->height : PLACEHOLDER_HEIGHT, 1);
}

/* ---- properties ---- */

static void take_text(char text[CONSOLES_TEXT_MAX], GVariant *dictionary, const char *name)
{
	const char *value;
	if (g_variant_lookup(dictionary, name, "&s", &value))
		g_strlcpy(text, value, CONSOLES_TEXT_MAX);
}

static void take_properties(struct console_facts *facts, GVariant *dictionary)
{
	const char *type;
	take_text(facts->label, dictionary, "Label");
	take_text(facts->address, dictionary, "DeviceAddress");
	if (g_variant_lookup(dictionary, "Type", "&s", &type))
		facts->is_graphic = strcmp(type, "Graphic") == 0;
	g_variant_lookup(dictionary, "Head", "u", &facts->head);
	g_variant_lookup(dictionary, "Width", "u", &facts->width);
	g_variant_lookup(dictionary, "Height", "u", &facts->height);
}

static void on_properties_changed(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *signal, GVariant *parameters, gpointer user)
{
	struct dbus_consoles *consoles = user;
	guint64 id;
	if (!g_str_has_prefix(path, CONSOLE_PREFIX) ||
		!g_variant_is_of_type(parameters, G_VARIANT_TYPE("(sa{sv}as)")) ||
		!g_ascii_string_to_unsigned(
			path + strlen(CONSOLE_PREFIX), 10, 0, UINT32_MAX, &id, NULL))
		return;
	struct console_facts *facts = consoles_get(&consoles->consoles, (uint32_t)id);
	g_autoptr(GVariant) dictionary = g_variant_get_child_value(parameters, 1);
	if (!facts)
		return;
	take_properties(facts, dictionary);
	choose(consoles);
}

static void on_console(GObject *source, GAsyncResult *result, gpointer user)
{
	struct call *call = user;
	struct dbus_consoles *consoles = call->consoles;
	struct console_facts facts = {
		.id = call->console,
		.is_graphic = true,
		.width = PLACEHOLDER_WIDTH,
		.height = PLACEHOLDER_HEIGHT,
	};
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) answer =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
	if (consoles->ops) {
		if (answer) {
			g_autoptr(GVariant) dictionary = g_variant_get_child_value(answer, 0);
			take_properties(&facts, dictionary);
		} else if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CLOSED)) {
			g_message("qemu: console %u says nothing of itself: %s", call->console,
				error->message);
		}
		if (answer || call->console == 0)
			consoles_put(&consoles->consoles, &facts);
		g_assert(consoles->n_asked > 0);
		consoles->is_known |= --consoles->n_asked == 0;
		if (consoles->n_asked == 0)
			choose(consoles);
	}
	call_end(call);
}

static void ask_console(struct dbus_consoles *consoles, uint32_t id)
{
	char path[sizeof(consoles->path)];
	g_snprintf(path, sizeof(path), CONSOLE_PATH, id);
	consoles->n_asked++;
	g_dbus_connection_call(consoles->connection, NULL, path, PROPERTIES_INTERFACE, "GetAll",
		g_variant_new("(s)", CONSOLE_INTERFACE), G_VARIANT_TYPE("(a{sv})"),
		G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, consoles->cancel, on_console,
		call_begin(consoles, id, 0));
}

/* A QEMU that does not say which consoles it has is asked about the first one. */
static void on_ids(GObject *source, GAsyncResult *result, gpointer user)
{
	struct call *call = user;
	struct dbus_consoles *consoles = call->consoles;
	g_autoptr(GVariant) answer =
		g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, NULL);
	g_autoptr(GVariant) value = NULL;
	if (consoles->ops && answer)
		g_variant_get(answer, "(v)", &value);
	if (consoles->ops && value && g_variant_is_of_type(value, G_VARIANT_TYPE("au"))) {
		gsize n;
		const guint32 *ids = g_variant_get_fixed_array(value, &n, sizeof(*ids));
		for (gsize i = 0; i < MIN(n, CONSOLES_MAX); i++)
			ask_console(consoles, ids[i]);
	}
	if (consoles->ops && consoles->n_asked == 0)
		ask_console(consoles, 0);
	call_end(call);
}

struct dbus_consoles *dbus_consoles_create(
	GDBusConnection *connection, const struct dbus_consoles_ops *ops, void *user)
{
	struct dbus_consoles *consoles = g_new0(struct dbus_consoles, 1);
	consoles->refs = 1;
	consoles->ops = ops;
	consoles->user = user;
	consoles->cancel = g_cancellable_new();
	consoles->connection = g_object_ref(connection);
	g_snprintf(consoles->path, sizeof(consoles->path), CONSOLE_PATH, 0);
	consoles->properties_changed = g_dbus_connection_signal_subscribe(connection, NULL,
		PROPERTIES_INTERFACE, "PropertiesChanged", NULL, CONSOLE_INTERFACE,
		G_DBUS_SIGNAL_FLAGS_NONE, on_properties_changed, consoles, NULL);
	g_dbus_connection_call(connection, NULL, VM_PATH, PROPERTIES_INTERFACE, "Get",
		g_variant_new("(ss)", "org.qemu.Display1.VM", "ConsoleIDs"), G_VARIANT_TYPE("(v)"),
		G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, consoles->cancel, on_ids,
		call_begin(consoles, 0, 0));
	return consoles;
}

void dbus_consoles_destroy(struct dbus_consoles *consoles)
{
	if (!consoles)
		return;
	consoles->ops = NULL;
	g_cancellable_cancel(consoles->cancel);
	g_dbus_connection_signal_unsubscribe(consoles->connection, consoles->properties_changed);
	consoles_unref(consoles);
}
