/* SPDX-License-Identifier: MIT */
/*
 * relay: stands between clients on TCP and spice-server. It corrects the clock that clients are
 * told, so that they show video when it arrives and not 400 ms later. It lets only little wait on
 * the way, measures the client's line, and asks spice-server for the compression that suits it.
 *
 * The main, display and playback channels go through the relay; so do all channels of clients that
 * use TLS or WebSocket. The other channels are handed to spice-server as they came. Of clients on
 * the unix socket only display channels go through it, and only while they begin (pass.h).
 *
 * Threads: the owner calls these functions on the main loop, and is called there. A thread of the
 * relay's own moves the bytes, so that nothing that the main loop does holds them up.
 */
#pragma once

#include <stdbool.h>

#include "display/line/line.h"
#include "display/relay/tls.h"
#include "protocol/keeper_link.h"

struct relay;

struct relay_options {
	bool server_clock; /* tell clients spice-server's own clock */
};

struct relay_ops {
	/*
	 * Gives spice-server a connection that is ready. `fd`, a TCP socket, is the callee's.
	 * Connections come in the order in which they became ready.
	 */
	void (*arrived)(void *user, int fd);
};

/* The relay opens the clients' lines in `line`, which must outlive it. */
struct relay *relay_create(const struct relay_options *options, struct line *line,
	const struct relay_ops *ops, void *user);
/* Cuts everybody off, and returns when the thread has ended. */
void relay_destroy(struct relay *relay);

/*
 * Accepts clients on a TCP socket, which is taken over, on the relay's thread: a crowd that comes
 * there takes nothing of the main loop's time. Returns false as arrivals_listen() does.
 */
bool relay_listen(struct relay *relay, enum keeper_listener_kind kind, int fd);

/* Takes over the socket of a client that has connected elsewhere, which must be non-blocking and
 * close-on-exec. */
void relay_arrive(struct relay *relay, int fd);

/*
 * Takes over the unix socket of a client that has begun a display channel, whose end spice-server
 * must not see too early (spice_talk.h). Returns the socket that spice-server gets in its place,
 * which is the caller's, or -1.
 */
int relay_guard(struct relay *relay, int fd);
/* A head's worker thread calls this when it neither reads nor writes the head's channels (pass.h).
 * It may do so also when there is no relay. */
void relay_step_aside(unsigned head);

/* Sets the certificate for TLS, and takes the reference over. While there is none clients that want
 * TLS are turned away. */
void relay_set_credentials(struct relay *relay, struct tls_credentials *credentials);

/* Says whether clients have to give a password. If not, fewer WebSocket clients are let in
 * (websocket.h). */
void relay_set_password(struct relay *relay, bool asked);
