/* SPDX-License-Identifier: MIT */
/* What reads the values is private to the file, and behind a whole connection: so it is included.
 */
#include "display/qemu/dbus_consoles.c"

#include "display/qemu/pointer.h"
#include "tests/fuzz/covered/console.h"

#define N_CONSOLES 3

static void on_moved(void *user)
{
}

static void on_heads_known(void *user, unsigned n_heads)
{
	g_assert(n_heads <= FRAME_HEADS_MAX);
}

static const struct dbus_consoles_ops ops = { .moved = on_moved, .heads = on_heads_known };

/* Wherever the console's sides have been set to, a pointer of the desktop lies inside. */
static void check_pointer(const struct dbus_consoles *consoles)
{
	static const uint32_t sides[] = { 1, 2, 640, 16384, 16 * 16384 };
	uint32_t width, height;
	dbus_consoles_get_size(consoles, &width, &height);
	g_assert(width > 0 && height > 0);
	for (unsigned i = 0; i < G_N_ELEMENTS(sides); i++) {
		g_assert(pointer_map(sides[i] - 1, sides[i], width) < width);
		g_assert(pointer_map(0, sides[i], height) < height);
	}
}

void consoles_change(unsigned console, GVariant *parameters, GVariant *dictionary)
{
	struct dbus_consoles consoles = { .refs = 1, .ops = &ops, .is_known = true };
	for (uint32_t id = 0; id < N_CONSOLES; id++) {
		struct console_facts facts = { .id = id, .is_graphic = true };
		take_properties(&facts, dictionary);
		consoles_put(&consoles.consoles, &facts);
	}
	g_autofree char *path = g_strdup_printf(CONSOLE_PATH, console);
	on_properties_changed(NULL, NULL, path, NULL, NULL, parameters, &consoles);
	check_pointer(&consoles);
	dbus_consoles_set_desktop(&consoles, console * 64u, 480);
	check_pointer(&consoles);
}
