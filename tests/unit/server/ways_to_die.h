/* SPDX-License-Identifier: MIT */
/* ways_to_die: what a fake worker does when it is sent the signal WAY_SIGNAL with one of these as
 * its value. */
#pragma once

#include <signal.h>

#define WAY_SIGNAL (SIGRTMIN + 3)

enum way_to_die {
	WAY_NONE,
	WAY_EXIT,
	WAY_SEGV,
	WAY_ABORT,
	WAY_BUS,
	WAY_HANG_GPU_THREAD,
	WAY_HANG_GPU,
	WAY_HANG_MAIN,
	WAY_HANG_RELAY,
	WAY_HANG_SPICE,
	WAY_RESET_GUILTY,
	WAY_RESET_INNOCENT,
	WAY_RESET_UNKNOWN,
	WAY_NONSENSE,   /* breaks the protocol of its link */
	WAY_DEAF,       /* reads its link no more, and goes on */
	WAY_EAT_MEMORY, /* without end */
	WAY_REFUSED_MEMORY,
};

/* Does it, in a signal's handler. */
void ways_to_die_watch(void);
