/* SPDX-License-Identifier: MIT */
/* dbus names: of QEMU's D-Bus display, as far as several files know them (ui/dbus-display1.xml). */
#pragma once

#define DBUS_DISPLAY_ROOT "/org/qemu/Display1"
#define DBUS_CHARDEV_INTERFACE "org.qemu.Display1.Chardev"
#define DBUS_OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"
