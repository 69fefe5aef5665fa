/* SPDX-License-Identifier: MIT */
/*
 * machine is QEMU's machine as `vitrine run` sees it by QMP: in which state it is, what happens to
 * it, and what can be asked of it. It has one of QEMU's QMP sockets for itself.
 *
 * Threads: main loop.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "server/desktop/qmp_client.h"

enum machine_state {
	MACHINE_STARTING, /* QEMU does not answer yet */
	MACHINE_RUNNING,
	MACHINE_PAUSED,
	MACHINE_SUSPENDED, /* S3, as QEMU knows it */
	MACHINE_OFF,
};

/* What is told to those who look on: kind of org.vitrine.Desktop1's Event, and words for people. */
struct machine_events {
	void *user;
	void (*ready)(void *user);
	void (*event)(void *user, const char *kind, const char *text);
	void (*broken)(void *user); /* the accelerator cannot run this guest */
	/* What QMP says of the machine, as it says it; `data` may be NULL. The member may be, too.
	 */
	void (*said)(void *user, const char *name, JsonObject *data);
};

/* `error` is NULL, or why QEMU refused. */
typedef void (*machine_answer)(void *user, const char *error);

struct machine {
	struct machine_events events;
	char *path; /* of the socket */
	struct qmp_client *qmp;
	GQueue asked; /* struct machine_question *; QEMU answers them in their order */
	bool is_ready, ending;
	enum machine_state state;
	const char *driver; /* none, firmware, 2d, virgl */
	unsigned connect_timer, down_timer;
	gint64 started_s; /* since 1970; 0: not yet */
};

void machine_init(struct machine *machine, const struct machine_events *events);
/* Connects as soon as QEMU listens at `path`. */
void machine_connect(struct machine *machine, const char *path);
void machine_finish(struct machine *machine);

/* The word of org.vitrine.Desktop1 for it. */
const char *machine_state_word(enum machine_state state);

/* It is over by our own wish: nothing more of it is news. */
void machine_set_ending(struct machine *machine);

/*
 * Sends QEMU a command with the JSON text of an object, or NULL. `answer` may be NULL; else it is
 * called once, unless the machine ends before. Gives false when QEMU does not take it.
 */
bool machine_ask(struct machine *machine, const char *command, const char *arguments,
	machine_answer answer, void *user);

/* The keeper says that a driver in the guest has the GPU ("firmware", "2d", "virgl"), or has
 * stopped (NULL), as it also does when the machine is paused. */
void machine_set_driver(struct machine *machine, const char *driver);
