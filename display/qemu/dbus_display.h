/* SPDX-License-Identifier: MIT */
/*
 * dbus display: is a client of QEMU's org.qemu.Display1 on a peer-to-peer D-Bus connection (QEMU
 * docs/interop/dbus-display.rst). Keys, pointer and wished sizes go to QEMU; back come the kind of
 * the guest's pointer, the keyboard's lights and the console's size.
 *
 * Nothing here waits for QEMU. Inputs are sent from their queue, a few at a time, and answers make
 * room for more. An interface that a QEMU lacks (versions differ) is logged and done without.
 *
 * Threads: main loop; GDBus's own thread moves the bytes.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>

#include "display/qemu/dbus_consoles.h"
#include "display/qemu/inputs.h"

struct dbus_display;

struct dbus_display_ops {
	/* Says that inputs may go from now on; the connection stays ours. NULL: QEMU has left. */
	void (*connected)(void *user, GDBusConnection *connection);
	/* Says whether the guest's pointer takes positions or steps. */
	void (*absolute)(void *user, bool absolute);
	/*
	 * Says which lights of the keyboard are on: a sum of scroll 1, num 2, caps 4 (QEMU's
	 * Keyboard.Modifiers).
	 */
	void (*leds)(void *user, uint32_t leds);
	/* Says how many heads our device has, as soon as QEMU has said it. */
	void (*heads)(void *user, unsigned n_heads);
};

/*
 * Takes the socket over and connects in the background. `inputs` stays the caller's and must
 * outlive this. Returns NULL when the descriptor is no socket (logged).
 */
struct dbus_display *dbus_display_create(
	int fd, struct inputs *inputs, const struct dbus_display_ops *ops, void *user);
/* Calls nothing after it has returned. NULL is fine. */
void dbus_display_destroy(struct dbus_display *dbus);

/*
 * Sends what waits in the inputs' queue, as far as QEMU may be sent more. Without QEMU it sends
 * nothing.
 */
void dbus_display_send_inputs(struct dbus_display *dbus);

/* Says which size the desktop has in pixels: the keeper tells QEMU. */
void dbus_display_set_desktop(struct dbus_display *dbus, uint32_t width, uint32_t height);
/* Does what dbus_consoles_want() says. Without QEMU it does nothing. */
void dbus_display_want_head(
	struct dbus_display *dbus, unsigned head, const struct dbus_consoles_size *size);
