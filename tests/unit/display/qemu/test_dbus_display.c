/* SPDX-License-Identifier: MIT */
/* dbus_display: tests it against a QEMU that the test plays on the other end of a socket pair. */
#include "display/qemu/dbus_display.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONSOLE "/org/qemu/Display1/Console_0"

/* Holds what display uses of QEMU's ui/dbus-display1.xml. */
static const char xml[] = "<node>"
			  " <interface name='org.qemu.Display1.Console'>"
			  "  <method name='SetUIInfo'>"
			  "   <arg type='q' direction='in'/><arg type='q' direction='in'/>"
			  "   <arg type='i' direction='in'/><arg type='i' direction='in'/>"
			  "   <arg type='u' direction='in'/><arg type='u' direction='in'/></method>"
			  "  <property name='Width' type='u' access='read'/>"
			  "  <property name='Height' type='u' access='read'/></interface>"
			  " <interface name='org.qemu.Display1.Keyboard'>"
			  "  <method name='Press'><arg type='u' direction='in'/></method>"
			  "  <method name='Release'><arg type='u' direction='in'/></method>"
			  "  <property name='Modifiers' type='u' access='read'/></interface>"
			  " <interface name='org.qemu.Display1.Mouse'>"
			  "  <method name='Press'><arg type='u' direction='in'/></method>"
			  "  <method name='Release'><arg type='u' direction='in'/></method>"
			  "  <method name='SetAbsPosition'>"
			  "   <arg type='u' direction='in'/><arg type='u' direction='in'/></method>"
			  "  <method name='RelMotion'>"
			  "   <arg type='i' direction='in'/><arg type='i' direction='in'/></method>"
			  "  <property name='IsAbsolute' type='b' access='read'/></interface>"
			  "</node>";

struct desk {
	struct dbus_display *dbus;
	struct inputs *inputs;
	bool connected, absolute;
	uint32_t leds;
	/* These are QEMU's. */
	GDBusConnection *qemu;
	GString *record;
	bool mute;        /* keeps the calls it gets */
	GPtrArray *muted; /* GDBusMethodInvocation */
};

static void qemu_call(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *method, GVariant *parameters,
	GDBusMethodInvocation *invocation, gpointer user)
{
	struct desk *desk = user;
	g_autofree char *text = g_variant_print(parameters, FALSE);
	g_string_append_printf(
		desk->record, "%s.%s%s\n", strrchr(interface, '.') + 1, method, text);
	if (desk->mute)
		g_ptr_array_add(desk->muted, invocation);
	else
		g_dbus_method_invocation_return_value(invocation, NULL);
}

static GVariant *qemu_property(GDBusConnection *connection, const char *sender, const char *path,
	const char *interface, const char *name, GError **error, gpointer user)
{
	if (g_str_equal(name, "Width"))
		return g_variant_new_uint32(3840);
	if (g_str_equal(name, "Height"))
		return g_variant_new_uint32(2160);
	if (g_str_equal(name, "Modifiers"))
		return g_variant_new_uint32(2);
	return g_variant_new_boolean(FALSE);
}

static const GDBusInterfaceVTable qemu_table = { qemu_call, qemu_property, NULL, { 0 } };

static void on_connected(void *user, GDBusConnection *connection)
{
	struct desk *desk = user;
	desk->connected = connection != NULL;
	inputs_set_connected(desk->inputs, desk->connected);
	if (!connection)
		g_clear_pointer(&desk->dbus, dbus_display_destroy);
}

static void on_absolute(void *user, bool absolute)
{
	struct desk *desk = user;
	desk->absolute = absolute;
	inputs_set_absolute(desk->inputs, absolute);
}

static void on_leds(void *user, uint32_t leds)
{
	((struct desk *)user)->leds = leds;
}

static void on_heads(void *user, unsigned n_heads)
{
}

static const struct dbus_display_ops ops = {
	.connected = on_connected,
	.absolute = on_absolute,
	.leds = on_leds,
	.heads = on_heads,
};

static void on_queued(void *user)
{
	struct desk *desk = user;
	if (desk->dbus)
		dbus_display_send_inputs(desk->dbus);
}

static void on_qemu_connection(GObject *source, GAsyncResult *result, gpointer user)
{
	((struct desk *)user)->qemu = g_dbus_connection_new_finish(result, NULL);
}

/* Registers QEMU's objects, which must be there before the first call is looked at. */
static void register_objects(struct desk *desk)
{
	g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(xml, NULL);
	g_assert_nonnull(node);
	for (unsigned i = 0; node->interfaces[i]; i++)
		g_assert_cmpuint(g_dbus_connection_register_object(desk->qemu, CONSOLE,
					 node->interfaces[i], &qemu_table, desk, NULL, NULL),
			>, 0);
	g_dbus_connection_start_message_processing(desk->qemu);
}

#define WAIT_FOR(condition)                                                                        \
	do {                                                                                       \
		gint64 end = g_get_monotonic_time() + 5 * G_USEC_PER_SEC;                          \
		while (!(condition)) {                                                             \
			g_assert_cmpint(g_get_monotonic_time(), <, end);                           \
			g_main_context_iteration(NULL, FALSE);                                     \
		}                                                                                  \
	} while (0)

static void start(struct desk *desk)
{
	int fds[2];
	*desk = (struct desk){ .record = g_string_new(NULL), .muted = g_ptr_array_new() };
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
	g_autoptr(GSocket) socket = g_socket_new_from_fd(fds[0], NULL);
	g_autoptr(GSocketConnection) stream = g_socket_connection_factory_create_connection(socket);
	g_autofree char *guid = g_dbus_generate_guid();
	g_dbus_connection_new(G_IO_STREAM(stream), guid,
		G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER |
			G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING,
		NULL, NULL, on_qemu_connection, desk);
	desk->inputs = inputs_create(on_queued, desk);
	inputs_set_desktop(desk->inputs, 1920, 1080);
	desk->absolute = true;
	desk->dbus = dbus_display_create(fds[1], desk->inputs, &ops, desk);
	WAIT_FOR(desk->qemu != NULL);
	register_objects(desk);
	WAIT_FOR(desk->connected && desk->leds == 2 && !desk->absolute);
}

static void finish(struct desk *desk)
{
	dbus_display_destroy(desk->dbus);
	for (unsigned i = 0; i < desk->muted->len; i++)
		g_dbus_method_invocation_return_value(desk->muted->pdata[i], NULL);
	g_dbus_connection_close_sync(desk->qemu, NULL, NULL);
	g_object_unref(desk->qemu);
	while (g_main_context_iteration(NULL, FALSE))
		;
	inputs_destroy(desk->inputs);
	g_string_free(desk->record, TRUE);
	g_ptr_array_unref(desk->muted);
}

static void set_absolute(struct desk *desk, bool absolute)
{
	GVariantBuilder changed;
	g_variant_builder_init(&changed, G_VARIANT_TYPE("a{sv}"));
	g_variant_builder_add(&changed, "{sv}", "IsAbsolute", g_variant_new_boolean(absolute));
	g_dbus_connection_emit_signal(desk->qemu, NULL, CONSOLE, "org.freedesktop.DBus.Properties",
		"PropertiesChanged",
		g_variant_new("(sa{sv}as)", "org.qemu.Display1.Mouse", &changed, NULL), NULL);
	WAIT_FOR(desk->absolute == absolute);
}

static void test_inputs(void)
{
	struct desk desk;
	start(&desk);
	inputs_move_by(desk.inputs, -3, 4);
	set_absolute(&desk, true);
	inputs_move_to(desk.inputs, 1919, 1079);
	inputs_scan_code(desk.inputs, 0xe0);
	inputs_scan_code(desk.inputs, 0x48);
	inputs_set_buttons(desk.inputs, 1u << INPUT_BUTTON_MIDDLE);
	inputs_release_all(desk.inputs);
	const struct dbus_consoles_size size = { 0, 0, 1600, 900, 400, 225 };
	dbus_display_want_head(desk.dbus, 0, &size);
	WAIT_FOR(strstr(desk.record->str, "SetUIInfo"));
	g_assert_cmpstr(desk.record->str, ==,
		"Mouse.RelMotion(-3, 4)\n"
		"Mouse.SetAbsPosition(3839, 2159)\n"
		"Keyboard.Press(200,)\n"
		"Mouse.Press(1,)\n"
		"Keyboard.Release(200,)\n"
		"Mouse.Release(1,)\n"
		"Console.SetUIInfo(400, 225, 0, 0, 1600, 900)\n");
	finish(&desk);
}

static unsigned count_lines(const GString *text)
{
	unsigned n = 0;
	for (const char *c = text->str; *c; c++)
		n += *c == '\n';
	return n;
}

/* A QEMU that does not answer gets a few calls and no more; then the last position, not all. */
static void test_slow_qemu(void)
{
	struct desk desk;
	start(&desk);
	set_absolute(&desk, true);
	desk.mute = true;
	for (int i = 0; i < 1000; i++) {
		inputs_move_to(desk.inputs, i, i);
		g_main_context_iteration(NULL, FALSE);
	}
	WAIT_FOR(desk.muted->len == INPUT_QUEUE_SENT_MAX);
	for (int i = 0; i < 100; i++)
		g_main_context_iteration(NULL, FALSE);
	g_assert_cmpuint(count_lines(desk.record), ==, INPUT_QUEUE_SENT_MAX);
	desk.mute = false;
	g_string_truncate(desk.record, 0);
	g_dbus_method_invocation_return_value(g_ptr_array_steal_index(desk.muted, 0), NULL);
	WAIT_FOR(desk.record->len > 0);
	g_assert_cmpstr(desk.record->str, ==, "Mouse.SetAbsPosition(1999, 1999)\n");
	finish(&desk);
}

static void test_qemu_leaves(void)
{
	struct desk desk;
	start(&desk);
	desk.mute = true;
	inputs_scan_code(desk.inputs, 0x1e);
	WAIT_FOR(desk.muted->len == 1);
	g_dbus_connection_close_sync(desk.qemu, NULL, NULL);
	WAIT_FOR(!desk.connected);
	g_assert_null(desk.dbus);
	inputs_scan_code(desk.inputs, 0x1f);
	finish(&desk);
}

/* Whatever the keeper hands over, display goes on. */
static void test_no_dbus_there(void)
{
	struct desk desk = { .inputs = inputs_create(on_queued, NULL) };
	int fds[2];
	g_assert_null(dbus_display_create(
		open("/dev/null", O_RDWR | O_CLOEXEC), desk.inputs, &ops, &desk));
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
	desk.dbus = dbus_display_create(fds[0], desk.inputs, &ops, &desk);
	g_assert_cmpint(write(fds[1], "nonsense\r\n", 10), ==, 10);
	close(fds[1]);
	for (int i = 0; i < 200; i++) {
		g_main_context_iteration(NULL, FALSE);
		g_usleep(1000);
	}
	g_assert_false(desk.connected);
	dbus_display_destroy(desk.dbus);
	while (g_main_context_iteration(NULL, FALSE))
		;
	inputs_destroy(desk.inputs);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_log_set_always_fatal(G_LOG_FATAL_MASK);
	g_test_add_func("/dbus-display/inputs", test_inputs);
	g_test_add_func("/dbus-display/slow-qemu", test_slow_qemu);
	g_test_add_func("/dbus-display/qemu-leaves", test_qemu_leaves);
	g_test_add_func("/dbus-display/no-dbus-there", test_no_dbus_there);
	return g_test_run();
}
