/* SPDX-License-Identifier: MIT */
/*
 * control serves org.vitrine.Desktop1 (protocol/org.vitrine.Desktop1.xml), peer to peer, on a
 * socket in the desktop's run directory.
 *
 * `vitrine run` serves it, because it is the desktop's user's own process, has QEMU's monitor, and
 * ends with the desktop. Callers are that user and root, who both could do to the machine what they
 * ask; their numbers are the kernel's word. The keeper must not parse what they send.
 *
 * Threads: main loop. GDBus reads and authenticates in threads of its own.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "protocol/ticket_request.h"
#include "server/run/machine.h"
#include "server/run/picture_call.h"

struct control_server;

struct control_events {
	void *user;
	/* Ends the desktop after so many seconds, if its guest has not done so by then. */
	void (*stop)(void *user, unsigned within_s);
	/* Asks for what a head shows. */
	void (*take_picture)(void *user, unsigned head, picture_call_done done, void *caller);
	/* Has a client drive, of which control_tell_keeper() tells. False: nobody can be asked now.
	 */
	bool (*hand_over)(void *user, const char *client);
	/* Gives the JSON of Show. The caller frees it. */
	char *(*show)(void *user);
};

/* The machine must live longer. NULL: `error` says why. */
struct control_server *control_create(const char *path, const char *name, struct machine *machine,
	const struct control_events *events, GError **error);
void control_destroy(struct control_server *control);

/* Tells all who are connected what the keeper has told, as it has, but for the driver's news. */
void control_tell_keeper(struct control_server *control, const struct ticket_event *event);
/* Tells all who are connected; state and driver are taken from the machine. */
void control_tell(struct control_server *control, const char *kind, const char *text);
