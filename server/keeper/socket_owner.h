/* SPDX-License-Identifier: MIT */
/*
 * socket_owner tells which user of this host is at the other end of a connection.
 *
 * Of a unix socket the kernel says it of the socket. Of TCP on this host it says it of the peer's
 * socket, by sock_diag(7), which finds sockets in the network namespace of who opened it: it is
 * opened before the walls are up, and no other netlink socket is made. It tells more than we ask
 * for, of all sockets of the host, as /proc/net does to everybody.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "protocol/keeper_link.h"

struct socket_owner {
	int netlink;       /* -1: not to be had */
	int reason;        /* then errno */
	uint32_t sequence; /* of the last question */
	bool many_are_one; /* users outside of our user namespace all look like `nobody` */
	uid_t nobody;
};

#define SOCKET_OWNER_NONE ((struct socket_owner){ .netlink = -1 })

/* Gives false when the kernel cannot tell of TCP; unix sockets it can always. */
bool socket_owner_init(struct socket_owner *owner);
void socket_owner_finish(struct socket_owner *owner);

/*
 * Gives false when there is no such socket on this host, or it is nobody's any more, or the user
 * has no number here.
 */
bool socket_owner_find(
	struct socket_owner *owner, const struct keeper_visitor *visitor, uid_t *uid);
bool socket_owner_of_unix(const struct socket_owner *owner, int fd, uid_t *uid);
