/* SPDX-License-Identifier: MIT */
/*
 * encoder_blame decides which of display's encoders its next processes leave alone, when one has
 * crashed.
 *
 * Where a process crashed is not known, only which encoders were at work, and it may have been
 * something beside them: a client can bring spice-server down. So one that was at work is refused
 * from the second crash on, when the first is not forgotten; one whose trial ran, when nothing else
 * did, at once. Encoders on GPUs run drivers of which some crash. One in software is what a stream
 * falls back to, and there is none behind it: it counts only when no other was at work.
 *
 * A crash is forgotten like those of a guest's program, after BLAME_FORGET_S. What is refused stays
 * so until the desktop is started again.
 */
#pragma once

#include "server/keeper/heartbeat_memory.h"

/* From so many on an encoder is not used any more; a crash in its trial counts for as many. */
#define ENCODER_BLAME_CRASHES 2

struct encoder_blame {
	struct {
		unsigned n_crashes;
		uint64_t last_ns;
	} encoders[HEARTBEAT_ENCODERS];
};

/* A display has crashed. Refuses in its `heartbeat` what is to be refused. */
void encoder_blame_count(
	struct encoder_blame *blame, struct heartbeat_memory *heartbeat, uint64_t now_ns);
