/* SPDX-License-Identifier: MIT */
/* console: what QEMU says of its console and keyboard, for fuzz_dbus. */
#pragma once

#include <gio/gio.h>

/* Has dbus_display read a signal's parameters, of any type, and an answer's dictionary (a{sv}). */
void console_change(GVariant *parameters, GVariant *dictionary);
