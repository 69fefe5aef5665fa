/* SPDX-License-Identifier: MIT */
/*
 * A worker is one of the keeper's two child processes, and its keeper link.
 *
 *   down ──spawn──► starting ──READY──► ready
 *    ▲                  │ late, ended      │ ended, killed, broke the protocol
 *    └───── back-off ◄──┴──────────────────┘
 *
 * The first time must succeed: a worker that ends before its first READY is reported as a failed
 * start, but one that says that the GPU was reset meanwhile is tried again a few times. Later ends
 * are repaired with a fresh process: at once when the last one had started, whatever ended it, and
 * after a growing pause when it could not. A fresh process is told nothing before the old one is
 * gone. While it is ready its heartbeat is looked at (watchdog.h), and it is killed when it is
 * stuck. Everything happens on the main thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "protocol/keeper_link.h"
#include "protocol/flight_file.h"
#include "server/keeper/recorder.h"
#include "server/keeper/spare.h"
#include "server/keeper/watchdog.h"
#include "server/keeper/worker_end.h"
#include "server/keeper/worker_process.h"
#include "common/link.h"

enum worker_state {
	WORKER_DOWN,
	WORKER_STARTING,
	WORKER_READY,
	/* We killed it or it hung up, and we wait for the process to be gone. */
	WORKER_ENDING,
};

struct worker_class {
	const char *name; /* "vitrine-render": for logs */
	enum flight_process process;
	/* These are the owner's messages. The handler of READY must call worker_set_ready(). */
	const struct link_handler *table;
	size_t table_length;
	/*
	 * READY has arrived, and the owner brings the worker up to date. It sends something: who
	 * was a spare one and hears nothing is replaced.
	 */
	void (*ready)(void *owner);
	/*
	 * The worker was ready and is no more. Its link is closed; the process may take a moment to
	 * die.
	 */
	void (*lost)(void *owner);
	/* The first start failed, or the starter has gone, and there will be no other. */
	void (*failed)(void *owner);
	/*
	 * The process is gone and its heartbeat tells what it was at; another one starts after
	 * this. `hung_at` is what it hung at, or NULL. The member is NULL where nobody wants to
	 * know.
	 */
	void (*ended)(void *owner, enum worker_end end, const struct heartbeat_said *hung_at);
	/*
	 * Gives the name of a guest's context for logs, or NULL when it has none; the caller frees
	 * it. The member is NULL where there are no contexts.
	 */
	char *(*name_context)(void *owner, uint32_t context);
	/*
	 * The process has ended before READY, for the reason `why`; `hung`: it was killed since it
	 * took too long. Returns true when another one is to be started at once, with
	 * worker->command; else it is a failed start like any other. The member is NULL where all
	 * are.
	 */
	bool (*not_started)(void *owner, const char *why, bool hung);
	/* Its processes wait for KEEPER_MESSAGE_BEGIN before they start a GPU. */
	bool is_told_to_begin;
	/*
	 * What a process that was ready has said before its end is handled, although nobody can be
	 * answered any more: worker_send() gives false.
	 */
	bool has_last_words;
};

struct worker {
	const struct worker_class *class;
	void *owner;
	struct starter *starter;
	unsigned command; /* the starter's, of the next process */
	/*
	 * So many milliseconds may pass from one beat of HEARTBEAT_GPU to the next until READY; 0:
	 * it is not looked at. The owner may set it before each process.
	 */
	unsigned step_ms;
	int stats_fd;              /* memory for its figures, the owner's; -1: none */
	struct recorder *recorder; /* the owner's, which keeps its ends; NULL: nobody does */
	/* What is known of this process's end. Its cause is noted by who brings it about. */
	struct flight_head death;
	struct worker_process process;
	struct watchdog_verdict verdict; /* that the watchdog killed it by; else without a fault */
	struct watchdog watchdog;        /* its limits are the owner's to set before the start */

	enum worker_state state;
	bool was_ready;        /* once, in any life */
	bool has_started;      /* this process has said READY */
	bool is_late;          /* it was killed since it did not */
	bool is_replaced;      /* it was killed since another command is to run */
	bool was_spare;        /* this process was one until it began */
	uint64_t ready_ns;     /* when its READY was heard */
	int64_t begin_time_us; /* of this process's work: a spare one is older */
	uint32_t n_capsets;
	/* Of the process and of display's child, as it said. */
	struct confine_state walls, inner_walls;
	int64_t full_since_us; /* the window began in which its link may be full for a while; 0:
				  none */
	int64_t full_us;       /* how long it has been in this window */
	unsigned link_source, timer_source, look_source, answer_source;
	struct spare spare;
	unsigned backoff_ms;
	unsigned n_resets_at_start; /* of the GPU, before READY, in a row */
	uint32_t n_starts;          /* processes so far */
};

/* Starts nothing yet. The starter is to outlive the worker. */
void worker_init(struct worker *worker, const struct worker_class *class, void *owner,
	struct starter *starter, unsigned command);

/* Ends the process by SIGTERM, soon after by SIGKILL, and waits for its end. */
void worker_finish(struct worker *worker);
/* Before that: closes its link, and lets it have so long for what it does then. It may not. */
void worker_let_end(struct worker *worker, int wait_ms);

/* Starts the first process. It is called once. */
bool worker_start(struct worker *worker, GError **error);

/* The owner's handler of READY calls this, and returns what it gives. */
bool worker_set_ready(struct worker *worker, const struct keeper_ready *ready);

/*
 * Handles one message if there is one before timeout_ms, and gives false when the worker is lost.
 */
bool worker_dispatch_wait(struct worker *worker, int timeout_ms);

/*
 * Sends a message to a ready worker. One that does not read its link for a second is killed and
 * replaced. Returns false when the message was not sent; the worker is lost then, `lost` was
 * called.
 */
bool worker_send(
	struct worker *worker, void *message, size_t size_bytes, const int *fds, unsigned n_fds);

/*
 * Notes that a RESET is sent. The process is killed if it stays at what it was given before
 * (watchdog_reset_sent()).
 */
void worker_reset_sent(struct worker *worker);
/* A driver of the guest has begun to use what the worker works at (watchdog_driver_started()). */
void worker_driver_started(struct worker *worker);

/* Gives text such as "SUBMIT_3D of context 12 (glmark2)", for logs. The caller frees it. */
char *worker_describe_work(const struct worker *worker, const struct heartbeat_said *said);

/*
 * The owner's `ended` calls this: for `for_ms` from now on a spare process is to wait ready
 * (spare.h), beside what spare_keep(&worker->spare, ...) asks for.
 */
void worker_want_spare(struct worker *worker, unsigned for_ms);

/* Runs this command from the next process on. A spare of another one goes. */
void worker_set_command(struct worker *worker, unsigned command);
/* Does the same at once if there is a process of another one: its end is nobody's fault. */
void worker_replace(struct worker *worker, unsigned command);

/* Ends the process, so that the spare one takes its place: the end is nobody's fault. */
void worker_hand_over(struct worker *worker);

/* Kills the process, waits until it is gone, and starts a fresh one. Logs `reason`. */
void worker_kill(struct worker *worker, enum flight_cause cause, const char *reason);
