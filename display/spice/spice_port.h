/* SPDX-License-Identifier: MIT */
/*
 * spice port: leads one channel of clients to one of the guest's devices: a USB device's
 * (usbredir), the folder that a client shares (webdav), or a port by its name. Each is a character
 * device of QEMU's (qemu/dbus_chardev.h) here, and one of spice-server's (spicevmc.cpp) there.
 *
 * The device is *wanted* only while a client has the channel: without one QEMU's end of it is not
 * connected, so that the guest has no such USB device, and sees nobody at its port.
 *
 * What a client says is taken from spice-server at once, whatever the guest takes, because
 * spice-server (0.15.1) does not outlive a client that goes while it keeps something of its. What
 * the guest does not take waits here; as long as anything does, the relay reads nothing more from
 * the client (line/intake.h). The other way spice-server stops reading at a MiB.
 *
 * Threads: main loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct RedsState;
struct intake;
struct spice_port;

enum spice_port_kind {
	SPICE_PORT_USB,
	SPICE_PORT_FOLDER,
	SPICE_PORT_NAMED,
	SPICE_PORT_KINDS,
};

/* These do what dbus_chardev_want(), _send() and _resume() do. */
struct spice_port_ops {
	void (*want)(void *user, bool wanted);
	size_t (*send)(void *user, const uint8_t *bytes, size_t n_bytes);
	void (*resume)(void *user);
};

struct spice_port_options {
	enum spice_port_kind kind;
	const char *name; /* clients see it, but for USB */
	unsigned id;      /* the lowest that no other one of its kind has */
};

/* The name is copied. Returns NULL when spice-server refuses (logged). */
struct spice_port *spice_port_create(struct RedsState *server, struct intake *intake,
	const struct spice_port_options *options, const struct spice_port_ops *ops, void *user);
/* Ends the channel of whoever has it. It must not be called by spice-server. NULL is fine. */
void spice_port_destroy(struct spice_port *port);

/* These are for the guest's device, and do what dbus_chardev_ops says. */
void spice_port_opened(struct spice_port *port, bool is_open);
size_t spice_port_room(struct spice_port *port);
void spice_port_received(struct spice_port *port, const uint8_t *bytes, size_t n_bytes);
void spice_port_writable(struct spice_port *port);
