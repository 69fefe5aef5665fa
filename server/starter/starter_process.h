/* SPDX-License-Identifier: MIT */
/* starter_process is what the starter (starter.h) does, and what it and the keeper say. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/*
 * A request is one byte, the number of the command, with these descriptors; or without any
 * STARTER_CONNECT, or STARTER_COPY plus the number of the file. The answer has a pid, so it is no
 * single byte: the keeper needs the number to watch and reap the worker, and the kernel tells
 * nobody who was born under him. With it comes a descriptor: the worker's pidfd, by which alone the
 * keeper may signal it, or the connection, or the copy.
 */
#define STARTER_COPY 200
#define STARTER_CONNECT 255

enum starter_fd { STARTER_FD_LINK, STARTER_FD_HEARTBEAT, STARTER_FDS };

struct starter_answer {
	int32_t pid;   /* of the keeper's new child; -1: there is none, or none was asked for */
	int32_t error; /* errno; with a pid the child is dead already, and to be reaped */
};

/*
 * No more workers of one starter live at a time: two that work, two spares, and as many that were
 * killed and sit in a driver. More are refused with EAGAIN.
 */
#define STARTER_LIVE_MAX 8

/* Serves `keeper` on `link` until that hangs up. It is called in a fresh fork and never returns. */
struct starter_plan;
_Noreturn void starter_process_run(int link, const struct starter_plan *plan, pid_t keeper);
