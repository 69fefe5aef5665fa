/* SPDX-License-Identifier: MIT */
/*
 * lobby: keeps the connections of strangers, who have not shown yet that they may come in. Their
 * number is bounded, of one network (peer_address.h) and in all, and so is their time (limits.h):
 * no stranger can use up the process's descriptors, which the renderer's buffers need, too.
 *
 * Where there are too many, one of the network that has most goes: the one that has got no further
 * for longest. So a crowd from one place costs nobody else a place; and even beside it, behind the
 * same router, who goes on talking stays, while the crowd pushes out its own silent ones.
 *
 * Threads: the one that makes it, whose main context runs the timer. The timer runs only while a
 * connection is in the lobby.
 */
#pragma once

#include "common/peer_address.h"

struct lobby;

/* It holds `max` connections, `network_max` of one network. */
struct lobby *lobby_create(unsigned max, unsigned network_max);
void lobby_destroy(struct lobby *lobby);

/*
 * Takes a connection in. `key` names it until lobby_leave, which must be called before the
 * descriptor, which stays the caller's, is closed. Cutting off means shutdown(2): the owner sees
 * the end of file.
 */
void lobby_enter(struct lobby *lobby, const void *key, int fd, const struct peer_address *from);

/* Says that a connection has got further. This gives it no more time. An unknown key changes
 * nothing, here and below. */
void lobby_progress(struct lobby *lobby, const void *key);

/* Lets a connection out that is no stranger any more, or has ended. */
void lobby_leave(struct lobby *lobby, const void *key);

/* Returns how many come from where this one comes, itself included; 0: it is not in. */
unsigned lobby_count_network(const struct lobby *lobby, const void *key);
unsigned lobby_length(const struct lobby *lobby);
