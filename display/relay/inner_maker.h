/* SPDX-License-Identifier: MIT */
/*
 * inner_maker makes the relay's connections with spice-server, in a process of its own.
 *
 * The sockets that display is handed are of the host's network, and a filter of system calls does
 * not see where connect() goes to: who takes display over could undo a client's connection and
 * connect it anew. So display may connect to nothing, and a child that it has from before it is
 * handed anything makes these connections (loopback.h). The child hears one byte, which asks for
 * another one; it takes no descriptors, and answers with both ends. It ends with display.
 *
 * Threads: any, but for inner_maker_start() and inner_maker_is_ready().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/confine/confine.h"

/*
 * Puts up the child's walls, in it, and says in *state, which is zeros, what holds. `port` is the
 * one that it is to connect to. False, which it has logged, ends the child.
 */
typedef bool (*inner_maker_confine)(void *user, uint16_t port, struct confine_state *state);

/*
 * Starts the child, while this process has one thread. With NULL the child is not confined. Returns
 * false, which is logged.
 */
bool inner_maker_start(inner_maker_confine confine, void *user);

/*
 * Waits until the child is confined, and gives what it has said of its walls, unless that is NULL.
 * Returns false, which is logged.
 */
bool inner_maker_is_ready(struct confine_state *walls);

/*
 * Gives a connection, as loopback_pair() makes it, with INNER_BYTES. Returns false with errno set.
 * It waits for the child, which has one ready: a tenth of a millisecond or two. A child that does
 * not answer within INNER_MAKER_WAIT_MS is hung up on.
 */
bool inner_maker_pair(int ends[2]);

/* This hangs up when the child is of no more use: then there will be no connection any more. */
int inner_maker_fd(void);
