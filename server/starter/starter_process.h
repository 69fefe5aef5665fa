/* SPDX-License-Identifier: MIT */
/* starter_process is what the starter (starter.h) does, and what the keeper says to it. */
#pragma once

#include <sys/types.h>

/*
 * A request is the number of the command, with these descriptors. The answer has a pid, so it is no
 * single byte: the keeper needs the number to watch and reap the worker, and the kernel tells
 * nobody who was born under him. With it comes the worker's pidfd, by which alone the keeper may
 * signal it.
 */
enum starter_fd { STARTER_FD_LINK, STARTER_FD_HEARTBEAT, STARTER_FD_FLIGHT };

/*
 * With one of enum starter_program in its upper bits, and no descriptors, a request is about the
 * command's program, and no worker is made. The answer's pid is -1 then.
 */
#define STARTER_PROGRAM_SHIFT 6

/*
 * No more workers of one starter live at a time: two that work, two spares, and as many that were
 * killed and sit in a driver. More are refused with EAGAIN.
 */
#define STARTER_LIVE_MAX 8

/* `plan` is a struct starter_plan. It is called in a fresh fork and never returns. */
_Noreturn void starter_process_run(int link, const void *plan, pid_t keeper);
