/* SPDX-License-Identifier: MIT */
#include "protocol/driver_end.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/flight.h"
#include "protocol/keeper_link.h"

/* Mesa calls such a thread by the program's name, cut, and this (amdgpu_winsys.c, util_queue_init).
 */
#define SUBMITTING_THREAD ":cs"
/* A thread's name has this many bytes, its NUL included (prctl(2)). */
#define THREAD_NAME_BYTES 16

static void (*before)(void);

static bool is_submitting(void)
{
	char name[THREAD_NAME_BYTES] = "";
	return prctl(PR_GET_NAME, name) == 0 && strstr(name, SUBMITTING_THREAD);
}

/* Calls nothing that a signal's handler may not. */
static void leave_if_submitting(void)
{
	if (!is_submitting())
		return;
	if (before)
		before();
	_exit(KEEPER_EXIT_GPU_LOST);
}

static void on_abort(int signal_number, siginfo_t *info, void *context)
{
	leave_if_submitting();
	flight_note_crash(signal_number, info, context);
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

void driver_end_watch(void (*before_end)(void))
{
	struct sigaction action = { .sa_sigaction = on_abort, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	before = before_end;
	atexit(leave_if_submitting);
	sigaction(SIGABRT, &action, NULL);
}
