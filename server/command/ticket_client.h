/* SPDX-License-Identifier: MIT */
/*
 * ticket_client asks a keeper for tickets, and follows what becomes of its clients
 * (protocol/ticket_request.h).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "protocol/ticket_request.h"

struct ticket_wish {
	bool view_only;
	bool follow; /* the connection stays, and events come on it */
	unsigned within_s;
};

/* Gives the name of the desktop that is meant: the one of this name, or the only one there is.
 * NULL: there is none, which was logged. The caller frees it. */
char *ticket_client_find(const char *name);
/* Gives the path of a desktop's socket, which the caller frees. */
char *ticket_client_path(const char *name);

/* Returns a connected descriptor, or -1, which was logged. */
int ticket_client_connect(const char *path);
/* Says why there is no ticket. */
const char *ticket_client_reason(uint32_t result);

struct ticket_client_events {
	void (*event)(void *user, const struct ticket_event *event); /* its text has a NUL */
	void *user;
};
/*
 * Asks once, and waits for the answer; events that come before it are handled. `events` may be NULL
 * where nobody follows. False: there was none, which was logged. The caller wipes the answer.
 */
bool ticket_client_ask(int fd, const char *path, const struct ticket_wish *wish,
	const struct ticket_client_events *events, struct ticket_answer *answer);
/* Handles one event if one waits. Returns what link_dispatch() does. */
int ticket_client_dispatch(int fd, const char *path, const struct ticket_client_events *events);
