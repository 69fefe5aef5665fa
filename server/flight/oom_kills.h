/* SPDX-License-Identifier: MIT */
/*
 * oom_kills is how often the kernel has killed a process of our control group to have memory (Linux
 * 4.13), or where that has no such file, as the root has not, one of this machine. Only if that
 * rose since it was looked at last is a SIGKILL put down to it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct oom_kills {
	int fd; /* -1: it is not known */
	uint64_t n, looked_ns;
};

#define OOM_KILLS_NONE ((struct oom_kills){ .fd = -1 })

/* Opens what is read later. */
void oom_kills_init(struct oom_kills *kills);
void oom_kills_finish(struct oom_kills *kills);
/* Is called now and then; it reads a small file every few seconds, and gives whether it did. */
bool oom_kills_look(struct oom_kills *kills, uint64_t now_ns);
/* Gives whether there were more since the last look, which this is one of. */
bool oom_kills_rose(struct oom_kills *kills);
