/* SPDX-License-Identifier: MIT */
/*
 * keeper_events hears from the keeper what it alone knows: what the guest's driver does, and which
 * clients come and go (protocol/ticket_request.h). Threads: main loop.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "protocol/ticket_request.h"

struct keeper_events {
	/* The event's text has a NUL, and is printable. */
	void (*told)(void *user, const struct ticket_event *event);
	void *user;
	char *path;
	int fd;        /* -1: not connected */
	gint64 second; /* in which so many came */
	unsigned n_told;
	unsigned timer, source;
};

#define KEEPER_EVENTS_NONE ((struct keeper_events){ .fd = -1 })

/* Connects as soon as the keeper listens at `path`. */
void keeper_events_follow(struct keeper_events *events, const char *path,
	void (*told)(void *user, const struct ticket_event *event), void *user);
/* Has a client drive (ticket_request.h), of which is told. False: the keeper cannot be asked now.
 */
bool keeper_events_hand_over(struct keeper_events *events, const char *client);
void keeper_events_finish(struct keeper_events *events);
