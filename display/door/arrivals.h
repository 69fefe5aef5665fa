/* SPDX-License-Identifier: MIT */
/*
 * arrivals: accepts clients' connections on the listening sockets that the keeper handed over, and
 * gives each to the owner. TCP sockets are set to send small messages at once.
 *
 * Threads: connections are accepted on the thread that runs `context`. That thread destroys the
 * arrivals, or any one when its loop has ended; all else is the maker's.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "common/peer_address.h"
#include "protocol/keeper_link.h"

struct arrivals;

/* `fd` is the callee's: a connected stream socket, non-blocking, close-on-exec. */
typedef void (*arrivals_accepted)(
	void *user, int fd, enum keeper_listener_kind kind, const struct peer_address *from);

/* `context`: NULL is the default one. */
struct arrivals *arrivals_create(GMainContext *context, arrivals_accepted accepted, void *user);
void arrivals_destroy(struct arrivals *arrivals);

/* Takes the descriptor over. Returns false when it is not a listening socket, or when there are
 * ARRIVALS_LISTENERS_MAX already (logged). */
bool arrivals_listen(struct arrivals *arrivals, enum keeper_listener_kind kind, int fd);
