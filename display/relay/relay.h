/* SPDX-License-Identifier: MIT */
/*
 * relay: stands between clients and spice-server. It ends SPICE's log-in: only whoever has been let
 * in (tickets/tickets.h) gets a connection to spice-server. It corrects the clock that clients are
 * told, so that they show video when it arrives and not 400 ms later. It lets only little wait on
 * the way, measures the client's line, and asks spice-server for the compression that suits it.
 *
 * All channels go through the relay. Display channels of clients on the unix socket do only while
 * they begin (pass.h).
 *
 * Threads: the owner calls these functions on the main loop, and is called there. A thread of the
 * relay's own moves the bytes, so that nothing that the main loop does holds them up.
 */
#pragma once

#include <stdbool.h>

#include "display/line/intake.h"
#include "display/line/line.h"
#include "display/relay/connection.h"
#include "display/relay/client_policy.h"
#include "display/relay/tls.h"
#include "display/tickets/tickets.h"
#include "protocol/keeper_link.h"

struct relay;

struct relay_options {
	bool server_clock; /* tell clients spice-server's own clock */
	struct relay_policy policy;
	struct intake *intake; /* which devices take what clients say; it must outlive the relay */
};

struct relay_ops {
	/* Gives spice-server somebody who was let in. They come in the order in which they were. */
	void (*arrived)(void *user, const struct connection_guest *guest);
	/* Gives spice-server a connection of the relay's own, which only asks what it can do. `fd`
	 * is the callee's. */
	void (*asks)(void *user, int fd);
	/*
	 * Asks the keeper whether a client may come without a password (visitors.h). It is called
	 * on the relay's thread. NULL: all may.
	 */
	bool (*ask_keeper)(void *user, struct keeper_visitor *visitor, int fd);
	/* Another one drives: what is held down is to be let go of. */
	void (*handed)(void *user);
	/* Who is in has touched nothing for long, and should be told these words; NULL: they have
	 * touched something since, or are gone. */
	void (*warned)(void *user, const char *words);
	/* A client has come, or gone, or may not come, on the relay's thread; the text is as in the
	 * log. NULL: nobody wants to know. */
	void (*told)(void *user, const struct keeper_client *client);
};

/* The relay opens the clients' lines in `lines`, one for each seat, and has `tickets` judge them.
 * Both must outlive it.
 */
struct relay *relay_create(const struct relay_options *options, struct line *const *lines,
	struct tickets *tickets, const struct relay_ops *ops, void *user);
/* Accepts nobody any more, and has clients that can come again by SPICE's host switch, to whoever
 * listens then. */
void relay_switch(struct relay *relay);
/*
 * Has the client drive that the log names so, and who drives look on; "": whoever came so that it
 * may drives again. ops->told() says what came of it.
 */
void relay_hand_over(struct relay *relay, const char *client);
/* Whoever is cut off by relay_destroy() is told this; without it, that display ends. It is copied.
 */
void relay_set_end(struct relay *relay, const char *why);
/* Cuts everybody off, and returns when the thread has ended. */
void relay_destroy(struct relay *relay);

/*
 * Accepts clients on a listening socket, which is taken over, on the relay's thread: a crowd that
 * comes there takes nothing of the main loop's time. Returns false as arrivals_listen() does.
 */
bool relay_listen(struct relay *relay, enum keeper_listener_kind kind, int fd);
/* Passes the keeper's answer to ask_keeper() on. */
void relay_judge_visitor(struct relay *relay, const struct keeper_visitor_judged *judged);
/* A head's worker thread calls this when it neither reads nor writes the head's channels (pass.h).
 * It may do so also when there is no relay. */
void relay_step_aside(unsigned head);

/* Sets the certificate for TLS, and takes the reference over. While there is none clients that want
 * TLS are turned away. */
void relay_set_credentials(struct relay *relay, struct tls_credentials *credentials);
