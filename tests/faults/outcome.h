/* SPDX-License-Identifier: MIT */
/*
 * outcome: what a piece of a desktop's life comes to, in which anything may fail once (run-faults).
 * It is over well when the desktop works, and all is gone afterwards.
 *
 * A step may be tried again, as a person would: that is so a few times. Exit status: 0 the desktop
 * works; 3 it has ended and said why, or waits for what it cannot have, or lacks something, and
 * says so; all else is a fault. The last line of output says what there was.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tests/wire/backend.h"

/* Begins. LD_PRELOAD is set for what is started from now on. */
void outcome_begin(void);

/*
 * Does a step until it succeeds, and `again` between: what goes wrong once goes well then. An
 * assertion of the harness is a step that fails. Both are on the thread that has begun.
 */
void outcome_insist(struct backend *backend, bool (*act)(uint32_t number), void (*again)(void),
	const char *what);

/* The same, but the desktop may go on without it when it has said `why`. */
void outcome_insist_or(struct backend *backend, bool (*act)(uint32_t number), void (*again)(void),
	const char *what, const char *why);

/* Whether the last one of these has not come about. */
bool outcome_lacks(void);

/* Kills the desktop's worker and waits for the next one. */
void outcome_kill_worker(struct backend *backend, const char *name);

/* How many descriptors the process has. */
unsigned outcome_count_fds(pid_t pid);

/* Hangs up, as QEMU does, and says what there was. Returns the exit status. */
int outcome_end(struct backend *backend);
