/* SPDX-License-Identifier: MIT */
#include "tests/client/fake_qemu.h"

#include <gio/gunixfdlist.h>
#include <string.h>

#include "tests/client/patience.h"

#define CONSOLE_PREFIX "/org/qemu/Display1/Console_"
#define VM_PATH "/org/qemu/Display1/VM"
#define AUDIO_PATH "/org/qemu/Display1/Audio"
#define LISTENER_PATH "/org/qemu/Display1/AudioOutListener"
#define LISTENER_INTERFACE "org.qemu.Display1.AudioOutListener"

static const char introspection[] =
	"<node>"
	" <interface name='org.qemu.Display1.VM'>"
	"  <property name='Name' type='s' access='read'/>"
	"  <property name='UUID' type='s' access='read'/>"
	"  <property name='ConsoleIDs' type='au' access='read'/>"
	"  <property name='Interfaces' type='as' access='read'/>"
	" </interface>"
	" <interface name='org.qemu.Display1.Console'>"
	"  <method name='RegisterListener'><arg type='h' direction='in'/></method>"
	"  <method name='SetUIInfo'>"
	"   <arg type='q' direction='in'/><arg type='q' direction='in'/>"
	"   <arg type='i' direction='in'/><arg type='i' direction='in'/>"
	"   <arg type='u' direction='in'/><arg type='u' direction='in'/>"
	"  </method>"
	"  <property name='Label' type='s' access='read'/>"
	"  <property name='Head' type='u' access='read'/>"
	"  <property name='Type' type='s' access='read'/>"
	"  <property name='Width' type='u' access='read'/>"
	"  <property name='Height' type='u' access='read'/>"
	"  <property name='DeviceAddress' type='s' access='read'/>"
	"  <property name='Interfaces' type='as' access='read'/>"
	" </interface>"
	" <interface name='org.qemu.Display1.Keyboard'>"
	"  <method name='Press'><arg type='u' direction='in'/></method>"
	"  <method name='Release'><arg type='u' direction='in'/></method>"
	"  <property name='Modifiers' type='u' access='read'/>"
	" </interface>"
	" <interface name='org.qemu.Display1.Mouse'>"
	"  <method name='Press'><arg type='u' direction='in'/></method>"
	"  <method name='Release'><arg type='u' direction='in'/></method>"
	"  <method name='SetAbsPosition'><arg type='u' direction='in'/><arg type='u' "
	"direction='in'/></method>"
	"  <method name='RelMotion'><arg type='i' direction='in'/><arg type='i' "
	"direction='in'/></method>"
	"  <property name='IsAbsolute' type='b' access='read'/>"
	" </interface>"
	" <interface name='org.qemu.Display1.Audio'>"
	"  <method name='RegisterOutListener'><arg type='h' direction='in'/></method>"
	"  <method name='RegisterInListener'><arg type='h' direction='in'/></method>"
	" </interface>"
	"</node>";

void fake_qemu_init(struct fake_qemu *qemu)
{
	*qemu = (struct fake_qemu){ .width = 640,
		.height = 480,
		.n_heads = 1,
		.label = "vhost-user-gpu-pci",
		.absolute = true };
	g_mutex_init(&qemu->lock);
	g_cond_init(&qemu->changed);
	qemu->node = g_dbus_node_info_new_for_xml(introspection, NULL);
	g_assert_nonnull(qemu->node);
	qemu->record = g_ptr_array_new_with_free_func(g_free);
}

void fake_qemu_finish(struct fake_qemu *qemu)
{
	fake_qemu_hang_up(qemu);
	g_dbus_node_info_unref(qemu->node);
	g_ptr_array_unref(qemu->record);
	g_mutex_clear(&qemu->lock);
	g_cond_clear(&qemu->changed);
}

/* ---- record ---- */

G_GNUC_PRINTF(2, 3)
static void record_add(struct fake_qemu *qemu, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	g_mutex_lock(&qemu->lock);
	g_ptr_array_add(qemu->record, g_strdup_vprintf(format, values));
	g_cond_broadcast(&qemu->changed);
	g_mutex_unlock(&qemu->lock);
	va_end(values);
}

static bool record_ends_with(const struct fake_qemu *qemu, const char *line)
{
	guint n = qemu->record->len;

	return n > 0 && strcmp(g_ptr_array_index(qemu->record, n - 1), line) == 0;
}

bool fake_qemu_wait_line(struct fake_qemu *qemu, const char *line, int timeout_ms)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&qemu->lock);
	gint64 end_us = patience_end_us(timeout_ms);

	while (!record_ends_with(qemu, line)) {
		if (!g_cond_wait_until(&qemu->changed, &qemu->lock, end_us))
			return record_ends_with(qemu, line);
	}
	return true;
}

bool fake_qemu_wait_count(struct fake_qemu *qemu, unsigned n, int timeout_ms)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&qemu->lock);
	gint64 end_us = patience_end_us(timeout_ms);

	while (qemu->record->len < n) {
		if (!g_cond_wait_until(&qemu->changed, &qemu->lock, end_us))
			return qemu->record->len >= n;
	}
	return true;
}

char *fake_qemu_take_record(struct fake_qemu *qemu)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&qemu->lock);
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < qemu->record->len; i++)
		g_string_append_printf(text, "%s\n", (char *)g_ptr_array_index(qemu->record, i));
	g_ptr_array_set_size(qemu->record, 0);
	return g_string_free(text, FALSE);
}

/*
 * Scales to 0 .. 32767 as QEMU's qemu_input_scale_axis does, then to pixels as Linux and libinput
 * do.
 */
uint32_t fake_qemu_guest_pixel(uint32_t value, uint32_t console, uint32_t pixels)
{
	uint64_t axis = (uint64_t)value * 32767 / console;

	return axis * pixels / 32768;
}

/* ---- consoles ---- */

static unsigned console_of(const char *path)
{
	return g_str_has_prefix(path, CONSOLE_PREFIX) ?
		       (unsigned)g_ascii_strtoull(path + strlen(CONSOLE_PREFIX), NULL, 10) :
		       0;
}

static unsigned consoles_count(const struct fake_qemu *qemu)
{
	return qemu->n_heads + qemu->has_vga;
}

static bool is_vga(const struct fake_qemu *qemu, unsigned console)
{
	return qemu->has_vga && console == 0;
}

/* ---- methods ---- */

static void answer_now(GDBusMethodInvocation *invocation, bool taken)
{
	if (taken)
		g_dbus_method_invocation_return_value(invocation, NULL);
	else
		g_dbus_method_invocation_return_dbus_error(
			invocation, "org.qemu.Display1.Error.Invalid", "refused by the fake QEMU");
}

static gboolean answer_late(gpointer user)
{
	answer_now(user, true);
	return G_SOURCE_REMOVE;
}

static void answer(struct fake_qemu *qemu, GDBusMethodInvocation *invocation, bool taken)
{
	if (qemu->answer_delay_ms == 0 || !taken) {
		answer_now(invocation, taken);
	} else if (qemu->answer_delay_ms == FAKE_QEMU_SILENT) {
		g_object_unref(invocation);
	} else {
		g_autoptr(GSource) source = g_timeout_source_new(qemu->answer_delay_ms);

		g_source_set_callback(source, answer_late, invocation, NULL);
		g_source_attach(source, g_main_context_get_thread_default());
	}
}

static bool call_key(struct fake_qemu *qemu, const char *method, GVariant *arguments)
{
	guint32 code;

	g_variant_get(arguments, "(u)", &code);
	record_add(qemu, "key %s %u", strcmp(method, "Press") == 0 ? "press" : "release", code);
	return true;
}

static bool call_button(struct fake_qemu *qemu, const char *method, GVariant *arguments)
{
	guint32 button;

	g_variant_get(arguments, "(u)", &button);
	record_add(
		qemu, "button %s %u", strcmp(method, "Press") == 0 ? "press" : "release", button);
	return true;
}

static bool call_position(struct fake_qemu *qemu, const char *method, GVariant *arguments)
{
	guint32 x, y;

	g_variant_get(arguments, "(uu)", &x, &y);
	bool valid = qemu->absolute && x < qemu->width && y < qemu->height;
	record_add(qemu, "%sabs %u %u", valid ? "" : "invalid ", x, y);
	return valid;
}

static bool call_motion(struct fake_qemu *qemu, const char *method, GVariant *arguments)
{
	gint32 dx, dy;

	g_variant_get(arguments, "(ii)", &dx, &dy);
	record_add(qemu, "%srel %d %d", qemu->absolute ? "invalid " : "", dx, dy);
	return !qemu->absolute;
}

static void set_ui_info(struct fake_qemu *qemu, unsigned console, GVariant *arguments,
	GDBusMethodInvocation *invocation)
{
	guint32 width, height;
	gint32 x, y;

	g_variant_get(arguments, "(qqiiuu)", NULL, NULL, &x, &y, &width, &height);
	if (is_vga(qemu, console)) {
		record_add(qemu, "vga refuses");
		g_dbus_method_invocation_return_dbus_error(invocation,
			"org.qemu.Display1.Error.Unsupported", "SetUIInfo is not supported");
		return;
	}
	if (console == qemu->has_vga)
		record_add(qemu, "ui %u %u", width, height);
	else
		record_add(qemu, "console %u ui %u %u at %d %d", console, width, height, x, y);
	answer(qemu, invocation, true);
}

static const struct {
	const char *interface, *method;
	bool (*call)(struct fake_qemu *qemu, const char *method, GVariant *arguments);
} methods[] = {
	{ "org.qemu.Display1.Keyboard", "Press", call_key },
	{ "org.qemu.Display1.Keyboard", "Release", call_key },
	{ "org.qemu.Display1.Mouse", "Press", call_button },
	{ "org.qemu.Display1.Mouse", "Release", call_button },
	{ "org.qemu.Display1.Mouse", "SetAbsPosition", call_position },
	{ "org.qemu.Display1.Mouse", "RelMotion", call_motion },
};

static void keep_listener(struct fake_qemu *qemu, GDBusConnection **listener, GAsyncResult *result)
{
	GDBusConnection *connection = g_dbus_connection_new_finish(result, NULL);

	g_mutex_lock(&qemu->lock);
	g_clear_object(listener);
	*listener = connection;
	g_cond_broadcast(&qemu->changed);
	g_mutex_unlock(&qemu->lock);
}

static void sound_ready(GObject *source, GAsyncResult *result, gpointer user)
{
	struct fake_qemu *qemu = user;

	keep_listener(qemu, &qemu->sound, result);
}

static void microphone_ready(GObject *source, GAsyncResult *result, gpointer user)
{
	struct fake_qemu *qemu = user;

	keep_listener(qemu, &qemu->microphone, result);
}

static void register_listener(
	struct fake_qemu *qemu, GDBusMethodInvocation *invocation, GAsyncReadyCallback ready)
{
	GUnixFDList *fds =
		g_dbus_message_get_unix_fd_list(g_dbus_method_invocation_get_message(invocation));
	g_autoptr(GSocket) socket = g_socket_new_from_fd(g_unix_fd_list_get(fds, 0, NULL), NULL);
	g_autoptr(GSocketConnection) stream = g_socket_connection_factory_create_connection(socket);
	g_autofree char *guid = g_dbus_generate_guid();

	answer_now(invocation, true);
	g_dbus_connection_new(G_IO_STREAM(stream), guid,
		G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER, NULL, NULL, ready, qemu);
}

static void method_call(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *method, GVariant *arguments,
	GDBusMethodInvocation *invocation, gpointer user)
{
	struct fake_qemu *qemu = user;

	if (strcmp(method, "RegisterOutListener") == 0) {
		register_listener(qemu, invocation, sound_ready);
		return;
	}
	if (strcmp(method, "RegisterInListener") == 0) {
		register_listener(qemu, invocation, microphone_ready);
		return;
	}
	if (strcmp(method, "SetUIInfo") == 0) {
		set_ui_info(qemu, console_of(path), arguments, invocation);
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(methods); i++) {
		if (strcmp(methods[i].interface, interface) != 0 ||
			strcmp(methods[i].method, method) != 0)
			continue;
		answer(qemu, invocation, methods[i].call(qemu, method, arguments));
		return;
	}
	answer_now(invocation, false);
}

/* ---- properties ---- */

static GVariant *ids_new(const struct fake_qemu *qemu)
{
	GVariantBuilder ids;

	g_variant_builder_init(&ids, G_VARIANT_TYPE("au"));
	for (guint32 i = 0; i < consoles_count(qemu); i++)
		g_variant_builder_add(&ids, "u", i);
	return g_variant_builder_end(&ids);
}

static GVariant *label_new(const struct fake_qemu *qemu, unsigned console)
{
	return is_vga(qemu, console) ? g_variant_new_string("VGA") :
				       g_variant_new_take_string(g_strdup_printf(
					       "%s.%u", qemu->label, console - qemu->has_vga));
}

static GVariant *property_new(
	struct fake_qemu *qemu, unsigned console, const char *interface, const char *property)
{
	if (strcmp(property, "ConsoleIDs") == 0)
		return ids_new(qemu);
	if (strcmp(property, "Label") == 0)
		return label_new(qemu, console);
	if (strcmp(property, "Interfaces") == 0) {
		const char *const console_interfaces[] = { "org.qemu.Display1.Keyboard",
			"org.qemu.Display1.Mouse", NULL };
		bool vm = g_str_has_suffix(interface, ".VM");
		return g_variant_new_strv(console_interfaces, vm ? 0 : -1);
	}
	if (strcmp(property, "Type") == 0)
		return g_variant_new_string("Graphic");
	if (strcmp(property, "Width") == 0)
		return g_variant_new_uint32(is_vga(qemu, console) ? 720 : qemu->width);
	if (strcmp(property, "Height") == 0)
		return g_variant_new_uint32(is_vga(qemu, console) ? 400 : qemu->height);
	if (strcmp(property, "Head") == 0)
		return g_variant_new_uint32(is_vga(qemu, console) ? 0 : console - qemu->has_vga);
	if (strcmp(property, "Modifiers") == 0)
		return g_variant_new_uint32(qemu->modifiers);
	if (strcmp(property, "IsAbsolute") == 0)
		return g_variant_new_boolean(qemu->absolute);
	return g_variant_new_string("");
}

static GVariant *property_get(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *property, GError **error, gpointer user)
{
	return property_new(user, console_of(path), interface, property);
}

static void property_tell(struct fake_qemu *qemu, const char *interface, const char *property)
{
	GVariantBuilder changed;
	unsigned console = qemu->has_vga;
	g_autofree char *path = g_strdup_printf(CONSOLE_PREFIX "%u", console);

	if (!qemu->connection)
		return;
	g_variant_builder_init(&changed, G_VARIANT_TYPE_VARDICT);
	g_variant_builder_add(
		&changed, "{sv}", property, property_new(qemu, console, interface, property));
	g_dbus_connection_emit_signal(qemu->connection, NULL, path,
		"org.freedesktop.DBus.Properties", "PropertiesChanged",
		g_variant_new("(sa{sv}as)", interface, &changed, NULL), NULL);
}

void fake_qemu_set_size(struct fake_qemu *qemu, uint32_t width, uint32_t height)
{
	qemu->width = width;
	qemu->height = height;
	property_tell(qemu, "org.qemu.Display1.Console", "Width");
	property_tell(qemu, "org.qemu.Display1.Console", "Height");
}

void fake_qemu_set_absolute(struct fake_qemu *qemu, bool absolute)
{
	qemu->absolute = absolute;
	property_tell(qemu, "org.qemu.Display1.Mouse", "IsAbsolute");
}

void fake_qemu_set_modifiers(struct fake_qemu *qemu, uint32_t modifiers)
{
	qemu->modifiers = modifiers;
	property_tell(qemu, "org.qemu.Display1.Keyboard", "Modifiers");
}

/* ---- the connection ---- */

static void object_register(struct fake_qemu *qemu, const char *path, const char *interface)
{
	static const GDBusInterfaceVTable table = { .method_call = method_call,
		.get_property = property_get };
	GDBusInterfaceInfo *info = g_dbus_node_info_lookup_interface(qemu->node, interface);
	guint id = g_dbus_connection_register_object(
		qemu->connection, path, info, &table, qemu, NULL, NULL);

	g_assert_cmpuint(id, !=, 0);
}

static void peer_ready(GObject *source, GAsyncResult *result, gpointer user)
{
	struct fake_qemu *qemu = user;
	g_autoptr(GError) error = NULL;

	qemu->connection = g_dbus_connection_new_finish(result, &error);
	if (!qemu->connection) {
		g_printerr("fake QEMU: the peer did not authenticate: %s\n", error->message);
		return;
	}
	object_register(qemu, VM_PATH, "org.qemu.Display1.VM");
	object_register(qemu, AUDIO_PATH, "org.qemu.Display1.Audio");
	if (qemu->ports)
		fake_ports_serve(qemu->ports, qemu->connection);
	for (unsigned i = 0; i < consoles_count(qemu); i++) {
		g_autofree char *path = g_strdup_printf(CONSOLE_PREFIX "%u", i);

		object_register(qemu, path, "org.qemu.Display1.Console");
		object_register(qemu, path, "org.qemu.Display1.Keyboard");
		object_register(qemu, path, "org.qemu.Display1.Mouse");
	}
	g_dbus_connection_start_message_processing(qemu->connection);
}

void fake_qemu_serve(struct fake_qemu *qemu, int fd)
{
	g_autoptr(GSocket) socket = g_socket_new_from_fd(fd, NULL);
	g_autoptr(GSocketConnection) stream = g_socket_connection_factory_create_connection(socket);
	g_autofree char *guid = g_dbus_generate_guid();

	g_dbus_connection_new(G_IO_STREAM(stream), guid,
		G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER |
			G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING,
		NULL, NULL, peer_ready, qemu);
}

void fake_qemu_hang_up(struct fake_qemu *qemu)
{
	if (qemu->ports)
		fake_ports_hang_up(qemu->ports);
	if (qemu->connection)
		g_dbus_connection_close_sync(qemu->connection, NULL, NULL);
	g_clear_object(&qemu->connection);
	if (qemu->sound)
		g_dbus_connection_close_sync(qemu->sound, NULL, NULL);
	g_clear_object(&qemu->sound);
	if (qemu->microphone)
		g_dbus_connection_close_sync(qemu->microphone, NULL, NULL);
	g_clear_object(&qemu->microphone);
}

/* ---- sound ---- */

bool fake_qemu_wait_sound(struct fake_qemu *qemu, int timeout_ms)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&qemu->lock);
	gint64 end_us = patience_end_us(timeout_ms);

	while (!qemu->sound) {
		if (!g_cond_wait_until(&qemu->changed, &qemu->lock, end_us))
			break;
	}
	return qemu->sound != NULL;
}

static bool sound_call(struct fake_qemu *qemu, const char *method, GVariant *arguments)
{
	g_autoptr(GVariant) answer =
		g_dbus_connection_call_sync(qemu->sound, NULL, LISTENER_PATH, LISTENER_INTERFACE,
			method, arguments, NULL, G_DBUS_CALL_FLAGS_NONE, 10000, NULL, NULL);

	return answer != NULL;
}

bool fake_qemu_sound_init(struct fake_qemu *qemu, uint64_t id, uint32_t rate, unsigned n_channels)
{
	uint32_t frame_bytes = n_channels * 2;

	return sound_call(qemu, "Init",
		g_variant_new("(tybbuyuub)", (guint64)id, 16, TRUE, FALSE, rate, n_channels,
			frame_bytes, frame_bytes * rate, G_BYTE_ORDER == G_BIG_ENDIAN));
}

bool fake_qemu_sound_enable(struct fake_qemu *qemu, uint64_t id, bool enabled)
{
	return sound_call(
		qemu, "SetEnabled", g_variant_new("(tb)", (guint64)id, (gboolean)enabled));
}

bool fake_qemu_sound_volume(struct fake_qemu *qemu, uint64_t id, bool mute, uint8_t volume)
{
	const uint8_t both[] = { volume, volume };

	return sound_call(qemu, "SetVolume",
		g_variant_new("(tb@ay)", (guint64)id, (gboolean)mute,
			g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, both, 2, 1)));
}

bool fake_qemu_sound_write(struct fake_qemu *qemu, uint64_t id, const void *data, size_t size_bytes)
{
	return sound_call(qemu, "Write",
		g_variant_new("(t@ay)", (guint64)id,
			g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, data, size_bytes, 1)));
}

bool fake_qemu_sound_fini(struct fake_qemu *qemu, uint64_t id)
{
	return sound_call(qemu, "Fini", g_variant_new("(t)", (guint64)id));
}
