/* SPDX-License-Identifier: MIT */
/*
 * qmp_broker hands QEMU one end of a socket pair as a D-Bus display client, by QMP's getfd and
 * add_client, and the other end to whoever asked. QMP itself is full control of QEMU, so it goes to
 * nobody. It hears, too, who in the guest has a virtio-serial port open.
 *
 * QEMU's socket may not exist yet, and QEMU serves it only after it has talked to us. So connecting
 * is tried again until it works, in the background. Everything happens on the main thread.
 */
#pragma once

#include <stdbool.h>

struct qmp_broker;

struct qmp_broker_events {
	void *user;
	/* Gives a non-blocking connection to QEMU's monitor for the broker to keep, or -1. */
	int (*connect)(void *user);
	/* The descriptor stays the broker's; who wants to keep it duplicates or sends it. */
	void (*connected)(void *user, int fd);
	/*
	 * Somebody in the guest has opened or closed a virtio-serial port, whose device has this id
	 * in QEMU. The member is NULL where nobody wants to know.
	 */
	void (*port_changed)(void *user, const char *id, bool is_open);
	/* QEMU is about to end, since its guest wants that or somebody else does. */
	void (*shutdown)(void *user, bool by_guest);
};

struct qmp_broker *qmp_broker_create(const struct qmp_broker_events *events);
void qmp_broker_destroy(struct qmp_broker *broker);

/*
 * Asks for a new connection. QEMU drops the one before, and `connected` is called when the new one
 * stands.
 */
void qmp_broker_request(struct qmp_broker *broker);
