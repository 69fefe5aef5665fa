/* SPDX-License-Identifier: MIT */
/*
 * qemu ports writes the part of QEMU's command line that leads to clients: the agent's port, USB
 * devices, a folder, ports by name, a serial console. Display has the other ends, by way of QEMU's
 * D-Bus display.
 */
#pragma once

#include <glib.h>

#include "server/desktop/desktop.h"

/* They are ports of the virtio-serial device of this id, and USB's of a controller of their own. */
void qemu_add_ports(GPtrArray *argv, const struct desktop *desktop, const char *bus);
/* The first serial port is a console for clients, and what the guest prints goes to the log, too.
 * `log` is escaped as QEMU's options need it. */
void qemu_add_client_serial(GPtrArray *argv, const char *log);
