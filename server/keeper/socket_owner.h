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

/* In all cases but the first nobody knows whose it is, and nobody is to be taken for anybody. */
enum socket_owner_answer {
	SOCKET_OWNER_FOUND,
	/* The peer has closed its socket. Whose it was the kernel does not keep. */
	SOCKET_OWNER_HUNG_UP,
	/* The connection lasts, and its other end is no socket of this network namespace: whoever
	 * is there came by way of what translates addresses, as containers' networks do. */
	SOCKET_OWNER_ELSEWHERE,
	/* There is no such connection in this network namespace: it is over, or the listening
	 * socket is of another one. */
	SOCKET_OWNER_NO_CONNECTION,
	/* The user is none of this user namespace. */
	SOCKET_OWNER_NO_NUMBER,
	SOCKET_OWNER_CANNOT_ASK,
};

/* Sets `uid` of FOUND. */
enum socket_owner_answer socket_owner_find(
	struct socket_owner *owner, const struct keeper_visitor *visitor, uid_t *uid);
/* Gives FOUND, NO_NUMBER or CANNOT_ASK. */
enum socket_owner_answer socket_owner_of_unix(const struct socket_owner *owner, int fd, uid_t *uid);

/* Says it in words, of "it"; FOUND has none. */
const char *socket_owner_text(enum socket_owner_answer answer);
