/* SPDX-License-Identifier: MIT */
#include "server/keeper/worker_end.h"

#include <glib.h>
#include <signal.h>
#include <sys/wait.h>

#include "common/flight.h"
#include "common/process.h"
#include "protocol/keeper_link.h"

static enum worker_end find_cause_of_exit(int status)
{
	switch (status) {
	case 0:
		return WORKER_ENDED_FROM_OUTSIDE;
	case KEEPER_EXIT_GPU_RESET:
		return WORKER_GPU_RESET;
	case KEEPER_EXIT_GPU_LOST:
		return WORKER_GPU_LOST;
	default:
		return WORKER_CRASHED;
	}
}

enum worker_end worker_end_find(int wait_status, bool stuck)
{
	if (stuck)
		return WORKER_HUNG;
	if (WIFEXITED(wait_status))
		return find_cause_of_exit(WEXITSTATUS(wait_status));
	/* We ask so where it is before we kill it; one with sanitizers does not catch that. */
	if (WTERMSIG(wait_status) == flight_signal())
		return WORKER_ENDED_FROM_OUTSIDE;
	switch (WTERMSIG(wait_status)) {
	case SIGKILL:
	case SIGTERM:
	case SIGINT:
	case SIGHUP:
		return WORKER_ENDED_FROM_OUTSIDE;
	default:
		return WORKER_CRASHED;
	}
}

bool worker_end_is_reset(int wait_status)
{
	enum worker_end end = worker_end_find(wait_status, false);
	return end == WORKER_GPU_RESET || end == WORKER_GPU_LOST;
}

char *worker_end_describe(int wait_status)
{
	return worker_end_is_reset(wait_status) ? g_strdup("the GPU was reset") :
						  process_describe_end(wait_status);
}
