/* SPDX-License-Identifier: MIT */
/*
 * dbus consoles: asks QEMU over D-Bus what consoles it has (consoles.h), and tells those of our
 * heads which sizes are wanted.
 *
 * Of each head only the newest wish counts, and QEMU is asked for one at a time: a client that asks
 * a thousand times a second gets its last wish, and neither QEMU nor memory is flooded.
 *
 * Threads: main loop. No call waits for QEMU.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>

struct dbus_consoles;

/* 0x0 unplugs the head. A millimetre count of 0 is unknown. */
struct dbus_consoles_size {
	int32_t x, y; /* on the desktop */
	uint32_t width, height;
	uint32_t width_mm, height_mm;
};

struct dbus_consoles_ops {
	/* Says that from now on another console is head 0's: dbus_consoles_get_path() gives it. */
	void (*moved)(void *user);
	/* Says how many heads our device has. It is called when that is known, and if it changes.
	 */
	void (*heads)(void *user, unsigned n_heads);
};

/* Begins to ask. The connection stays the caller's. */
struct dbus_consoles *dbus_consoles_create(
	GDBusConnection *connection, const struct dbus_consoles_ops *ops, void *user);
/* Calls nothing after it has returned. NULL is fine. */
void dbus_consoles_destroy(struct dbus_consoles *consoles);

/* Returns the object path of head 0's console, which is valid until `moved` is called. */
const char *dbus_consoles_get_path(const struct dbus_consoles *consoles);
/* Fills in the size that QEMU believes that console to have, in pixels; neither is 0. */
void dbus_consoles_get_size(
	const struct dbus_consoles *consoles, uint32_t *width, uint32_t *height);

/* Says which size the desktop has: the keeper tells QEMU, by which our console is known. */
void dbus_consoles_set_desktop(struct dbus_consoles *consoles, uint32_t width, uint32_t height);
/*
 * Asks QEMU to offer the guest this mode for a head, below FRAME_HEADS_MAX. A head that the device
 * does not have is left out, and a refusal is logged.
 */
void dbus_consoles_want(
	struct dbus_consoles *consoles, unsigned head, const struct dbus_consoles_size *size);
