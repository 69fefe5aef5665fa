/* SPDX-License-Identifier: MIT */
/*
 * detach is `vitrine run --detach`: a process of its own goes on in the background, and the one
 * that was started ends when the desktop runs, or with what went wrong. What would have gone to the
 * terminal goes to a file in the run directory, which `vitrine attach` shows.
 */
#pragma once

#include <stdbool.h>

struct detach {
	int told;     /* whoever waits at its other end knows from here that we run; -1: nobody */
	int terminal; /* where the file's beginning is shown; -1: nowhere */
	int log;
};

#define DETACH_NONE ((struct detach){ .told = -1, .terminal = -1, .log = -1 })

/*
 * Returns in the new process, which has a session of its own. The old one does not return: it ends
 * when that is told to be running, or ends. Must be called while there is one thread. Returns false
 * when there is no new process; errno says why.
 */
bool detach_fork(struct detach *detach);
/* From here on what is printed goes to this file. Returns false when it cannot be made (errno). */
bool detach_log(struct detach *detach, const char *path);
/* Shows what has been printed, and lets the old process end well. */
void detach_ready(struct detach *detach);
/* Shows what has been printed, if that was not done before. */
void detach_finish(struct detach *detach);
