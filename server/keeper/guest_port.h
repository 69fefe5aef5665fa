/* SPDX-License-Identifier: MIT */
/*
 * guest_port is the keeper's end of the port over which a guest is told which contexts were lost
 * (protocol/guest_lost.h).
 *
 * The port's other end is QEMU's, which takes what is sent when the guest does. So nothing is sent
 * while nobody listens in the guest: it would wait for the guest's next start. A guest that does
 * not read holds up nobody, since a line that has no room is dropped, and counted for the next one.
 * What the guest writes is not read. Everything happens on the main thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/guest_lost.h"

struct guest_port {
	int fd; /* the caller's stream socket; -1: the desktop has no such port */
	bool is_open;
	uint64_t n_sent, n_untold;
	size_t left; /* of a line of which QEMU took only a part, at the end of `line` */
	size_t length;
	char line[GUEST_LOST_TEXT_LINE_MAX];
	unsigned source;
};

/* `fd` becomes non-blocking, and is no child's; it stays the caller's. */
void guest_port_init(struct guest_port *port, int fd);
void guest_port_finish(struct guest_port *port);

/* Whether somebody in the guest has the port open, as QEMU says. */
void guest_port_set_open(struct guest_port *port, bool is_open);

/* Has the guest lock its sessions. Gives false when it cannot be told. */
bool guest_port_lock(struct guest_port *port);

struct lost_contexts;
/* Tells the guest. Gives false, and counts it, when it cannot be told. */
bool guest_port_tell(struct guest_port *port, const struct lost_contexts *lost);
