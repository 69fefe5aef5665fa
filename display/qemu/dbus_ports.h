/* SPDX-License-Identifier: MIT */
/*
 * dbus ports: finds the character devices that QEMU has on its D-Bus display, which come with the
 * machine or are plugged later, and says when one has gone. What passes through one is
 * dbus_chardev.h's.
 *
 * Threads: main loop.
 */
#pragma once

#include <gio/gio.h>

struct dbus_ports;

/* None of these may destroy the ports. */
struct dbus_ports_ops {
	/* QEMU says the name, which may be any. Two devices may have one name, and none one path.
	 */
	void (*came)(void *user, const char *path, const char *name);
	void (*went)(void *user, const char *path);
};

struct dbus_ports *dbus_ports_create(
	GDBusConnection *connection, const struct dbus_ports_ops *ops, void *user);
/* Calls nothing after it has returned, and nothing while it runs. NULL is fine. */
void dbus_ports_destroy(struct dbus_ports *ports);
