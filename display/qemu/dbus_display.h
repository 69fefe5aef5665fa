/* SPDX-License-Identifier: MIT */
/*
 * dbus display: display as client of QEMU's org.qemu.Display1 on a peer-to-peer D-Bus connection
 * (QEMU docs/interop/dbus-display.rst): keys and pointer to the guest, new sizes, and back: whether
 * the pointer is absolute, keyboard lights, the console's size.
 *
 * Nothing here waits for QEMU. Inputs are sent from their queue, a few at a time, and answers make
 * room for more. What a QEMU lacks (versions differ) is noted once and done without.
 *
 * Threads: main loop; GDBus's own thread moves the bytes.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>

#include "display/qemu/inputs.h"

struct dbus_display;

struct dbus_display_ops {
	/* Connected and asked: inputs may go. Or QEMU has left (NULL). */
	void (*connected)(void *user, GDBusConnection *connection);
	void (*absolute)(void *user, bool absolute);
	void (*leds)(void *user, uint32_t leds); /* scroll 1, num 2, caps 4 */
};

/* Takes the socket over. Connects in the background. */
struct dbus_display *dbus_display_create(
	int fd, struct inputs *inputs, const struct dbus_display_ops *ops, void *user);
/* Stops calling back. NULL is fine. */
void dbus_display_destroy(struct dbus_display *dbus);

/* There is something in the inputs' queue. */
void dbus_display_send_inputs(struct dbus_display *dbus);

/* What the guest's head is asked to be; 0x0 unplugs it. */
void dbus_display_set_ui_info(struct dbus_display *dbus, unsigned head, int32_t x, int32_t y,
	uint32_t width, uint32_t height, uint32_t width_mm, uint32_t height_mm);
