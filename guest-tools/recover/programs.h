/* SPDX-License-Identifier: MIT */
/*
 * programs are the processes that have the virtio GPU open, and which of them have lost a context.
 *
 * The kernel does not say which process a context is of. It gives the host the name of the thread
 * that made it, so a process has lost one when a thread of it, or its program, has such a name. So
 * logind, which has the device open for others, has lost nothing, nor has an X server without
 * OpenGL.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "guest-tools/recover/limits.h"
#include "guest-tools/recover/notice.h"

struct lost_program {
	int pid;
	uint64_t start_ticks; /* since boot: with the pid it names one process for ever */
	uid_t uid;
	char name[16];    /* printable */
	bool has_card;    /* it has the node open by which pictures are shown */
	bool is_server;   /* and displays others' windows: it listens as an X server or a compositor
			   */
	bool has_painted; /* a head has shown what it drew */
};

struct programs {
	unsigned n;
	struct lost_program all[PROGRAMS_MAX];
};

/* Finds those that have lost a context, among processes that are older than `before_ms` since boot.
 */
void programs_find_lost(struct programs *programs, const struct notice *notice, double before_ms);
/* Is it still there? */
bool programs_is_alive(const struct lost_program *program);
/*
 * Takes what lowers the priority of its threads from them. What a process had open is closed by the
 * last of its threads. Mesa has one, for its cache on disk, of the lowest priority, which takes
 * seconds to get to it where a desktop ends and begins, and so long the next one cannot begin.
 */
void programs_hurry_end(const struct lost_program *program);
/* Gives the time since boot, as processes' beginnings are counted. */
double programs_now_ms(void);
