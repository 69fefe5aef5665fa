/* SPDX-License-Identifier: MIT */
/*
 * worker_death notes why a worker's process ends, from who brings that about, and has it kept
 * (recorder.h) when the process is gone. Everything happens on the main thread.
 */
#pragma once

#include "server/keeper/worker.h"

/* Begins anew, for a process that is there. */
void worker_death_begin(struct worker *worker);
/* Notes why this process ends, unless something was noted before. `why` may be NULL. */
void worker_death_note(struct worker *worker, enum flight_cause cause, const char *why);
/* Notes what the watchdog has seen, and gives what that is as a cause. */
enum flight_cause worker_death_note_verdict(
	struct worker *worker, const struct watchdog_verdict *verdict);
/* Asks the process where its threads are, before it is killed. It takes a moment, at most. */
void worker_death_ask(const struct worker *worker);
/*
 * Keeps the end, when all that follows from it is decided. `had_started` is what the process was
 * before that.
 */
void worker_death_keep(struct worker *worker, bool had_started, int wait_status);
