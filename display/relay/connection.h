/* SPDX-License-Identifier: MIT */
/*
 * connection: stands for one relayed connection. It moves bytes between a client's socket and one
 * end of a pair of ours, whose other end spice-server has. It lets the client in or turns it away
 * itself (login.c), and makes that pair only for whoever is in.
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
#include "display/line/line_cap.h"
#include "display/door/lobby.h"
#include "display/relay/client_policy.h"
#include "display/relay/effort.h"
#include "display/relay/poll_set.h"
#include "display/relay/session.h"
#include "display/relay/tls.h"

struct connection;
struct intake;
struct keeper_client;
struct tickets;
struct link_keys;
struct offers;
struct visitors;

/* Somebody who was let in, for spice-server. */
struct connection_guest {
	int fd;        /* spice-server's end of a pair of ours; the callee's */
	int own_fd;    /* a duplicate of the client's own socket, the callee's; -1: not local */
	bool is_local; /* on the unix socket, where pictures may be dma-bufs */
	unsigned seat; /* whose spice-server it is for (session.h) */
	bool display;
	bool gl_scanout; /* takes dma-bufs */
};

struct connection_host {
	struct poll_set *polls;
	struct sessions *sessions;
	struct line *lines[RELAY_SEATS_MAX];
	unsigned n_lookers;
	/* The name of the session whose client drives; 0: whoever came so that it may. It is read
	 * where there are lookers. */
	uint32_t *driver;
	struct line_cap *cap;
	struct intake *intake; /* NULL: every device takes all */
	struct lobby *lobby;
	struct effort *effort;
	struct tickets *tickets;
	struct link_keys *keys;
	struct offers *offers;
	struct visitors *visitors; /* NULL: without a password everybody may come */
	/* As relay.h has it. */
	void (*told)(void *user, const struct keeper_client *client);
	/* Gives a client to spice-server. */
	void (*hand_over)(void *user, const struct connection_guest *guest);
	/*
	 * Says that the connection is over and may be destroyed, but only when its thread's main
	 * loop runs again: it is still on the stack.
	 */
	void (*ended)(void *user, struct connection *connection);
	void *user;
	int64_t idle_us; /* who does nothing for so long is cut off; 0: nobody is */
	const char *idle_why, *idle_words; /* and told so, and before */
	/* Somebody is to be told that they are about to be, or has touched something since. */
	void (*warned)(void *user, bool warned);
	const char *end; /* what is told who is there when the relay ends */
};

/*
 * Takes over a client's socket, which comes `from` there. Without credentials (NULL) there is no
 * TLS. Returns NULL when there is no TLS session to be had (logged); the socket is closed then.
 */
struct connection *connection_create(const struct connection_host *host, int fd,
	const struct peer_address *from, struct tls_credentials *credentials);
/* Has it look again whether what it waits for is there. */
void connection_wake(struct connection *connection);
/* Says what the keeper says of its user; `user` is the connection, `uid` as in visitors.h. */
void connection_be_judged(void *user, bool welcome, uint32_t uid);
/* Says that the turn of a connection (`user`) to shake hands has come; it is effort.h's granted. */
void connection_take_turn(void *user);
/* Lets the client go: ended() is called now or, for a display channel that has just begun, when
 * spice-server may know (spice_talk.h). */
/* Has the client come again by SPICE's host switch, if it can and this is its main channel.
 * `subject` is what our certificate has (tls.h); NULL: clients in TLS cannot. */
bool connection_switch(struct connection *connection, const char *subject);
/* Has this client drive in the place of whoever does. False: it is another one's connection, or no
 * main channel in session. */
bool connection_drive(struct connection *connection, const char *client);
void connection_quit(struct connection *connection);
/* Cuts the connection off, which calls ended(). */
void connection_end(struct connection *connection);
void connection_destroy(struct connection *connection);
