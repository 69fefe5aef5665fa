/* SPDX-License-Identifier: MIT */
/*
 * connection: stands for one relayed connection. It moves bytes between a client's socket and one
 * end of a pair of ours, whose other end spice-server has. If the relay has nothing to do for a
 * client's channel, spice-server gets the client's socket itself.
 *
 * A connection takes bounded memory: two pipes and small kernel buffers; and few can be in their
 * greeting at a time (lobby.h). If one side does not read, the other side is not read from either,
 * and no other connection is affected.
 *
 * Threads: the relay's.
 */
#pragma once

#include <glib.h>

#include "display/line/line.h"
#include "display/door/lobby.h"
#include "display/relay/poll_set.h"
#include "display/relay/session.h"
#include "display/relay/tls.h"

struct connection;

struct connection_host {
	struct poll_set *polls;
	struct sessions *sessions;
	struct line *line;
	struct lobby *lobby;
	const gint *open; /* atomic; not 0: no password is asked for */
	/* Gives `fd` to spice-server: the client's own socket, or one end of a pair of ours. */
	void (*hand_over)(void *user, int fd);
	/*
	 * Says that the connection is over and may be destroyed, but only when its thread's main
	 * loop runs again: it is still on the stack.
	 */
	void (*ended)(void *user, struct connection *connection);
	void *user;
};

/*
 * Takes over a client's socket, which comes `from` there. Without credentials (NULL) there is no
 * TLS. Returns NULL when there is no TLS session to be had (logged); the socket is closed then.
 */
struct connection *connection_create(const struct connection_host *host, int fd,
	const struct peer_address *from, struct tls_credentials *credentials);
/*
 * Takes over the unix socket of a client that has begun a display channel, and `inner_fd`, our end
 * of a pair. spice-server gets the other end, whose number is `server_fd` (pass.h).
 */
struct connection *connection_create_local(
	const struct connection_host *host, int fd, int inner_fd, int server_fd);
/* Lets the client go: ended() is called now or, for a display channel that has just begun, when
 * spice-server may know (spice_talk.h). */
void connection_quit(struct connection *connection);
/* Cuts the connection off, which calls ended(). */
void connection_end(struct connection *connection);
void connection_destroy(struct connection *connection);
