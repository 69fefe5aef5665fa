/* SPDX-License-Identifier: MIT */
/*
 * relayed connection: between a client's socket and one end of a TCP connection of our own, whose
 * other end goes to spice-server. A channel that nothing is to be done about is handed over as it
 * is.
 *
 * Bounded: two pipes, small kernel buffers, few greetings at a time (lobby.h). A side that does not
 * read stops the other being read, and nothing else.
 *
 * Threads: the relay's.
 */
#pragma once

#include <glib.h>

#include "display/line/line.h"
#include "display/door/lobby.h"
#include "display/relay/session.h"
#include "display/relay/tls.h"

struct connection;

struct connection_host {
	GMainContext *context;
	struct sessions *sessions;
	struct line *line;
	struct lobby *lobby;
	const gint *open; /* atomic: no password is asked for */
	/* `fd` is for spice-server now: either the client's own, or ours to it. */
	void (*hand_over)(void *user, int fd);
	/* It is over and may be destroyed, but not before this returns to the main loop. */
	void (*ended)(void *user, struct connection *connection);
	void *user;
};

/* Takes the client's TCP socket over. NULL credentials: no TLS. NULL when TLS cannot be had. */
struct connection *connection_create(
	const struct connection_host *host, int fd, struct tls_credentials *credentials);
/*
 * Takes over the unix socket of a client that has begun a display channel, and our end `inner_fd`
 * of a pair whose other end, with the number `server_fd`, spice-server gets (pass.h).
 */
struct connection *connection_create_local(
	const struct connection_host *host, int fd, int inner_fd, int server_fd);
/* Cuts it off: ended() is called. */
void connection_end(struct connection *connection);
void connection_destroy(struct connection *connection);
