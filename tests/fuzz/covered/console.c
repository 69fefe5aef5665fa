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

void console_change(GVariant *parameters, GVariant *dictionary)
{
	struct dbus_display dbus = { .refs = 1, .ops = &ops };
	on_properties_changed(NULL, NULL, NULL, NULL, NULL, parameters, &dbus);
	take_properties(&dbus, dictionary);
}
