/* SPDX-License-Identifier: MIT */
/* worker_end: why a worker's process is no more, from what the kernel says of its end. */
#pragma once

#include <stdbool.h>

/* A process that had been ready is no more for one of these reasons. */
enum worker_end {
	/* It was told to go, or killed by a signal that no fault of its own raises, or by us. */
	WORKER_ENDED_FROM_OUTSIDE,
	WORKER_CRASHED,
	WORKER_HUNG, /* the watchdog killed it, since a loop stayed at one thing */
	/* It found the GPU reset. Its heartbeat names the guest's context that is guilty, or none.
	 */
	WORKER_GPU_RESET,
	/* The GPU was reset, and nobody knows by whose work. */
	WORKER_GPU_LOST,
	/* It was ended for another one to take its place (worker_hand_over()). */
	WORKER_REPLACED,
};

/* `stuck` says that the watchdog had killed it. That it was replaced is seen by nothing here. */
enum worker_end worker_end_find(int wait_status, bool stuck);
/* Returns whether the process ended because the GPU was reset, by whomever. */
bool worker_end_is_reset(int wait_status);
/* Gives text such as "killed by signal 6 (Aborted)". The caller frees it. */
char *worker_end_describe(int wait_status);
