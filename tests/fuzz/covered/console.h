/* SPDX-License-Identifier: MIT */
/* console: what QEMU says of pointer, keyboard and consoles, for fuzz_dbus. */
#pragma once

#include <gio/gio.h>

/* Has dbus_display read a signal's parameters, of any type, and an answer's dictionary (a{sv}). */
void console_change(GVariant *parameters, GVariant *dictionary);
/*
 * Has dbus_consoles read the same of one of three consoles, or of another that is made up, and
 * checks that the pointer lies inside.
 */
void consoles_change(unsigned console, GVariant *parameters, GVariant *dictionary);
