/* SPDX-License-Identifier: MIT */
/*
 * spare is a second process of a worker, which waits and takes the first one's place when that
 * ends. It knows nothing of the guest, and is not heard until then.
 *
 *   none ──pause──► begins ──► settled, and waits ──► taken
 *    ▲                │ ended, dropped │
 *    └────────────────┴────────────────┘
 *
 * How far it has come while it waits is the operator's to say (spare_keep()), and for a while after
 * a crash it waits ready in any case (spare_want()). It goes when it is of another command than the
 * worker is to run, and when the GPU was reset: it has drawn nothing, but its contexts are lost
 * like those of the first. One that ends by itself is replaced after a pause that grows.
 *
 * It is executed like any other, and not forked from a process that has loaded its libraries. Such
 * ones would share that memory and be there as soon, but with the same addresses each time, and who
 * crashes them one after the other could learn these.
 *
 * Everything happens on the main thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol/stats.h"
#include "server/desktop/desktop.h"
#include "server/keeper/worker_process.h"

struct spare {
	const char *name; /* the worker's, for logs */
	struct starter *starter;
	GChildWatchFunc on_end; /* the owner's, which calls spare_note_end() */
	void *user;
	bool is_told; /* processes of this worker wait until they are told to begin */
	struct worker_process process;
	unsigned command;        /* of the next process */
	enum desktop_spare kept; /* at all times */
	bool is_due;             /* the worker is at work, so there may be one */
	int64_t start_us;        /* of the process */
	int64_t step_us;         /* the same, or when it was told to begin */
	unsigned want_source;    /* ends the time for which one is wanted ready; 0: none is */
	unsigned start_source;
	unsigned end_source; /* of one that was killed, and is not gone yet */
	unsigned backoff_ms;
};

/* The starter is to outlive it. Until spare_keep() or spare_want() there is no process. */
void spare_init(struct spare *spare, const char *name, struct starter *starter, unsigned command,
	bool is_told, GChildWatchFunc on_end, void *user);
/* Makes the page of its heartbeat, since later the keeper may make no memory to share. */
bool spare_prepare(struct spare *spare, GError **error);
void spare_finish(struct spare *spare);

void spare_keep(struct spare *spare, enum desktop_spare kind);
/* Wants one that is ready until `for_ms` after the last call. */
void spare_want(struct spare *spare, unsigned for_ms);
/* One of another command goes. */
void spare_set_command(struct spare *spare, unsigned command);

/* The worker is at work: from now on there may be a spare, SPARE_DELAY_MS later (limits.h). */
void spare_begin(struct spare *spare);
/* Looks whether the process waits as it should. One that is stopped or hangs in its start goes. */
void spare_look(struct spare *spare);
/*
 * Exchanges the process with `*ended`, which is no more, and returns true. Another one is started
 * at once while one is wanted ready, else after spare_begin(). Without a process of the right
 * command, or with one that is stopped, it returns false.
 */
bool spare_take(struct spare *spare, struct worker_process *ended);
/*
 * The same, since the program is another one now: what the ones before have died of counts no more.
 */
void spare_renew(struct spare *spare);
/* Ends the process; another one follows after its end, if the worker is at work. */
void spare_drop(struct spare *spare);
/* The process has ended; `end` says how. */
void spare_note_end(struct spare *spare, const char *end);

/* STARTING: or it has not told yet how far it is. */
enum stats_spare spare_get_state(const struct spare *spare);
/* Tells whether it waits, and can take over at once. */
bool spare_is_ready(const struct spare *spare);
