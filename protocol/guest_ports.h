/* SPDX-License-Identifier: MIT */
/*
 * guest ports: names the devices of the guest that clients or programs of others look for. So
 * `vitrine run` calls them, and display knows by it what each is for. QEMU's documentation of its
 * D-Bus display has the same names.
 */
#pragma once

/* So SPICE's agents for guests look for it. */
#define GUEST_AGENT_PORT "com.redhat.spice.0"

/* A client's USB devices come here; several have one name each, which begins so. */
#define GUEST_USB_PORT "org.qemu.usbredir"

/* So spice-webdavd looks for it. */
#define GUEST_FOLDER_PORT "org.spice-space.webdav.0"

/* The first serial port is a text console for clients. */
#define GUEST_CONSOLE_PORT "org.qemu.console.serial.0"

/* Names that begin so are of QEMU's own commands, and ours: no client gets them. */
#define GUEST_MONITOR_PORTS "org.qemu.monitor."
#define GUEST_OWN_PORTS "org.vitrine."
/* spice-server would make a display of it. */
#define GUEST_STREAM_PORT "org.spice-space.stream.0"
