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

#include "server/keeper/heartbeat_memory.h"
#include "server/starter/starter.h"

struct worker_process {
	pid_t pid; /* 0: none */
	int link;  /* our end; -1: none */
	unsigned end_source;
	struct heartbeat_memory heartbeat; /* outlives the process, for who asks what it was at */
};

#define WORKER_PROCESS_NONE                                                                        \
	((struct worker_process){ .link = -1, .heartbeat = HEARTBEAT_MEMORY_NONE })

/*
 * Has the starter run its command. `on_end` is called with the process's wait status once it is
 * gone, and puts `pid` back to 0. `name` is for messages.
 */
bool worker_process_spawn(struct worker_process *process, const char *name, struct starter *starter,
	unsigned command, GChildWatchFunc on_end, void *user, GError **error);
void worker_process_close_link(struct worker_process *process);
/*
 * Ends the process by SIGTERM, and by SIGKILL if it is not gone within term_wait_ms, and frees its
 * page.
 */
void worker_process_finish(struct worker_process *process, int term_wait_ms);
