/* SPDX-License-Identifier: MIT */
/*
 * effort: bounds how much of a core strangers make us compute with. A TLS handshake takes us a
 * hundred times as long as the stranger who asks for it by one packet.
 *
 * What each one takes is measured. When a crowd has taken too much, the others of it wait; who came
 * last goes first, since the others are about to be cut off (door/lobby.h). Whoever comes from a
 * network with few strangers does not wait for a crowd from elsewhere.
 *
 * Threads: the relay's, whose main context runs the timer. The timer runs only while some wait.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct effort;

/* A stranger's place in the line; all zero is a good beginning. */
struct effort_turn {
	GList link;
	bool waits, granted;
	void *user;
};

/* `granted` is called when a turn that waited has come: effort_begin() will then return true. */
struct effort *effort_create(void (*granted)(void *user));
/* Nobody may wait any more. */
void effort_destroy(struct effort *effort);

/*
 * Returns true when the stranger's work may be done now; effort_end() must follow. Otherwise it
 * waits, and granted() is called with `user`. `few` says that few strangers come from where it
 * comes.
 */
bool effort_begin(struct effort *effort, struct effort_turn *turn, bool few, void *user);
void effort_end(struct effort *effort);
/* Takes a turn out of the line, if it is in it. */
void effort_leave(struct effort *effort, struct effort_turn *turn);
