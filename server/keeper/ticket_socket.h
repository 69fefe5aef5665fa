/* SPDX-License-Identifier: MIT */
/*
 * ticket_socket is the keeper's side of protocol/ticket_request.h: the socket on which the
 * desktop's user asks for tickets, and for upgrades, and follows what becomes of those who came by
 * tickets.
 *
 * Everything happens on the main thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "protocol/ticket_request.h"
#include "protocol/upgrade_request.h"
#include "protocol/screenshot_request.h"

struct ticket_socket {
	int listener; /* -1: none */
	unsigned source;
	char *path;        /* of the socket; NULL: none made */
	GPtrArray *askers; /* struct asker, who have not said yet what they want, or follow */
	unsigned n_followers;
	/* Fills in result and ticket of an answer to a request that is within its bounds. */
	void (*give)(
		void *user, const struct ticket_request *request, struct ticket_answer *answer);
	/* Answers an upgrade request on `fd`, which becomes the callee's, when it likes. */
	void (*upgrade)(void *user, const struct upgrade_request *request, int fd);
	/* The same with a screenshot request. */
	void (*screenshot)(void *user, const struct screenshot_request *request, int fd);
	/* A client is to drive, says one who follows; NULL: they may not. The owner sets it. */
	void (*hand_over)(void *user, const char *client);
	void *user;
};

#define TICKET_SOCKET_NONE ((struct ticket_socket){ .listener = -1 })

/* Makes the socket, which only this user may connect to. It is called once. */
bool ticket_socket_listen(struct ticket_socket *board, const char *path,
	void (*give)(
		void *user, const struct ticket_request *request, struct ticket_answer *answer),
	void (*upgrade)(void *user, const struct upgrade_request *request, int fd),
	void (*screenshot)(void *user, const struct screenshot_request *request, int fd),
	void *user, GError **error);
/* Tells all who follow; `text` may be NULL. Who does not read is hung up on. */
void ticket_socket_tell(struct ticket_socket *board, enum ticket_event_kind kind, const char *text);
void ticket_socket_tell_client(struct ticket_socket *board, const struct keeper_client *client);
/* Also for one that is TICKET_SOCKET_NONE. */
void ticket_socket_finish(struct ticket_socket *board);
