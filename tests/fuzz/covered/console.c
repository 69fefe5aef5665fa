/* SPDX-License-Identifier: MIT */
/* What reads the values is private to the file, and behind a whole connection: so it is included.
 */
#include "display/qemu/dbus_display.c"

#include "tests/fuzz/covered/console.h"

static void on_connected_to(void *user, GDBusConnection *connection)
{
}

static void on_absolute_pointer(void *user, bool absolute)
{
	g_assert(absolute == TRUE || absolute == FALSE);
}

static void on_leds(void *user, uint32_t leds)
{
}

static const struct dbus_display_ops ops = {
	.connected = on_connected_to,
	.absolute = on_absolute_pointer,
	.leds = on_leds,
};

/* Wherever the console's sides have been set to, a pointer of the desktop lies inside. */
static void check_pointer(const struct dbus_display *dbus)
{
	static const uint32_t sides[] = { 1, 2, 640, 16384, 16 * 16384 };
	g_assert(dbus->console_width > 0 && dbus->console_height > 0);
	for (unsigned i = 0; i < G_N_ELEMENTS(sides); i++) {
		uint32_t last = sides[i] - 1;
		uint32_t x = pointer_map(last, sides[i], dbus->console_width);
		uint32_t y = pointer_map(0, sides[i], dbus->console_height);
		g_assert(x < dbus->console_width && y < dbus->console_height);
	}
}

void console_change(GVariant *parameters, GVariant *dictionary)
{
	struct dbus_display dbus = {
		.refs = 1, .ops = &ops, .console_width = 1, .console_height = 1
	};
	on_properties_changed(NULL, NULL, NULL, NULL, NULL, parameters, &dbus);
	check_pointer(&dbus);
	take_properties(&dbus, dictionary);
	check_pointer(&dbus);
}
