/* SPDX-License-Identifier: MIT */
/*
 * worker_process is one process of a worker, our end of its keeper link, and the page of its
 * heartbeat. What it is used for is the worker's (worker.h). Everything happens on the main thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "server/keeper/flight_page.h"
#include "server/keeper/heartbeat_memory.h"
#include "server/starter/starter.h"

struct worker_process {
	pid_t pid; /* 0: none */
	int pidfd; /* of it; -1: none */
	int link;  /* our end; -1: none */
	unsigned end_source;
	unsigned command; /* the starter's that it runs */
	bool has_begun;   /* it was told to begin, or needs no word of ours to */
	/* It outlives the process, for who asks what that was at. */
	struct heartbeat_memory heartbeat;
	struct flight_page flight;
};

#define WORKER_PROCESS_NONE                                                                        \
	((struct worker_process){ .pidfd = -1,                                                     \
		.link = -1,                                                                        \
		.heartbeat = HEARTBEAT_MEMORY_NONE,                                                \
		.flight = FLIGHT_PAGE_NONE })

/* Makes both pages, which serve one process after the other. It is called once. */
bool worker_process_prepare(struct worker_process *process, GError **error);
/*
 * Has the starter run its command. `on_end` is called with the process's wait status once it is
 * gone, and calls worker_process_note_end(). `name` is for messages.
 */
bool worker_process_spawn(struct worker_process *process, const char *name, struct starter *starter,
	unsigned command, GChildWatchFunc on_end, void *user, GError **error);
void worker_process_note_end(struct worker_process *process);
/*
 * Goes on without a process that SIGKILL does not end: `on_end` is not called any more. It is
 * reaped when it ends. The caller does what `on_end` would.
 */
void worker_process_leave_behind(struct worker_process *process, const char *name);
/* Tells a renderer to start its GPU (KEEPER_MESSAGE_BEGIN), once. */
void worker_process_tell_begin(struct worker_process *process, bool is_spare);
/* Nothing happens without a process. */
void worker_process_signal(const struct worker_process *process, int signal_number);
/* Tells whether a signal has stopped the process. */
bool worker_process_is_stopped(const struct worker_process *process);
/* Waits for the end of a process that there is, and does not reap it. */
bool worker_process_wait_end(const struct worker_process *process, int timeout_ms);
void worker_process_close_link(struct worker_process *process);
/*
 * Ends the process by SIGTERM, and by SIGKILL if it is not gone within term_wait_ms, and frees its
 * page. One that is not gone WORKER_END_MS later is left to whoever reaps orphans.
 */
void worker_process_finish(struct worker_process *process, int term_wait_ms);
