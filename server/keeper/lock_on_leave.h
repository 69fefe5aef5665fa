/* SPDX-License-Identifier: MIT */
/*
 * lock on leave: has the guest lock its session when nobody is there any more who may do more than
 * look on (protocol/guest_lost.h). It waits a moment, since one who takes another's place comes
 * when that one has gone, and so do all when display is replaced.
 *
 * Who comes and goes display says, which may have been taken over: it can have the session locked
 * once in LOCK_ON_LEAVE_MS, or not at all. Threads: main.
 */
#pragma once

#include <stdbool.h>

#include "protocol/keeper_link.h"

#define LOCK_ON_LEAVE_MS 2000

struct guest_port;

/* All zeros: the guest is not told. */
struct lock_on_leave {
	struct guest_port *port;
	unsigned n_users;
	unsigned timer; /* 0: nothing is awaited */
};

void lock_on_leave_init(struct lock_on_leave *lock, struct guest_port *port);
void lock_on_leave_finish(struct lock_on_leave *lock);
void lock_on_leave_note(struct lock_on_leave *lock, const struct keeper_client *client);
/* All clients have lost their connections. */
void lock_on_leave_all_left(struct lock_on_leave *lock);
