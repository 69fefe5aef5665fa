/* SPDX-License-Identifier: MIT */
/*
 * relay: between clients on TCP and spice-server. It corrects the clock that clients are given, so
 * that video is shown when it arrives and not 400 ms later, keeps little under way, measures the
 * line, and asks spice-server for the compression that suits it.
 *
 * The main, display and playback channels pass through here, of clients in TLS or WebSocket frames
 * all channels; the others are handed to spice-server as they are. Of clients on the unix socket
 * only display channels come here, and only while they begin (pass.h): after that their pictures
 * are not copied, and spice-server treats a unix socket as the same machine.
 *
 * Threads: the main loop calls and is called; bytes are moved by a thread of the relay's own, so
 * that nothing the main loop does holds pictures up.
 */
#pragma once

#include <stdbool.h>

#include "display/line/line.h"
#include "display/relay/tls.h"

struct relay;

struct relay_options {
	bool server_clock; /* leave the clock as spice-server tells it */
};

struct relay_ops {
	/* `fd` is the callee's: a connected TCP socket for spice-server, in the order of arrival.
	 */
	void (*arrived)(void *user, int fd);
};

/* Heads' lines are opened in `line`, which must outlive the relay. */
struct relay *relay_create(const struct relay_options *options, struct line *line,
	const struct relay_ops *ops, void *user);
/* Cuts everybody off; returns when the thread has ended. */
void relay_destroy(struct relay *relay);

/* Somebody connected. Takes the TCP socket over: non-blocking, close-on-exec. tls: nothing but. */
void relay_arrive(struct relay *relay, int fd, bool tls);

/*
 * A client on the unix socket has begun a display channel: spice-server must not see its end too
 * early (pass.h). Takes the socket over; returns what spice-server gets in its place, the caller's,
 * or -1.
 */
int relay_guard(struct relay *relay, int fd);
/* The worker thread of a head, which calls this, neither reads nor writes the head's channels now.
 * May be called whether there is a relay or not. */
void relay_step_aside(unsigned head);

/* The certificate for TLS from now on; until there is one such clients are turned away. Takes the
 * reference over. */
void relay_set_credentials(struct relay *relay, struct tls_credentials *credentials);

/* Whether clients have to give a password: if none, fewer WebSocket clients are let in
 * (websocket.h). */
void relay_set_password(struct relay *relay, bool asked);
