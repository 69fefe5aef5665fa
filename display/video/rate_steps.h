/* SPDX-License-Identifier: MIT */
/*
 * rate steps: decides when an encoder is told of another rate (rate.h), where each change costs a
 * key frame, as with NVENC and VA-API: a key frame is many times as large as the pictures around
 * it, so steps are few and large.
 *
 * Down goes when what was told has been RATE_STEPS_OVER times what is wanted for
 * RATE_STEPS_SETTLE_MS, since estimates of a line take a few rounds to fall; no more pictures are
 * made meanwhile than the line takes. It goes a little further than it must, so that a line which
 * goes on to fall does not cost a step at each look, and a second step follows the first only after
 * RATE_STEPS_HOLD_MS, or when twice as much is told as should be. Up goes when there was room for
 * half as much again for a while, in which the room no longer grew, and to the least that there was
 * room for. Each step up that turns out to be too much doubles that while, up to
 * RATE_STEPS_PATIENCE_MAX_MS; when the rate has stood for so long it begins anew.
 *
 * Threads: one at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display/video/rate.h"

/* An encoder may stay above what is wanted by this much. */
#define RATE_STEPS_OVER 1.1
/* A step down goes to this share of what is wanted. */
#define RATE_STEPS_DOWN 0.85
#define RATE_STEPS_SETTLE_MS 250
#define RATE_STEPS_HOLD_MS 1000
#define RATE_STEPS_HASTE 2.0 /* over by so much nothing holds a step */
/* A step up is at least so large. */
#define RATE_STEPS_UP 1.5
#define RATE_STEPS_GROWS 1.25 /* room that is so many times as large is still growing */
#define RATE_STEPS_PATIENCE_MS 3000
#define RATE_STEPS_PATIENCE_MAX_MS 60000

struct rate_steps {
	struct rate told; /* .kbit 0: nothing yet */
	uint64_t told_ns;
	bool was_up, is_first;  /* the last step */
	uint64_t over_since_ns; /* 0: it is not too much */
	uint64_t room_since_ns; /* 0: there is no room for a step up */
	uint32_t room_kbit;     /* the least that was wanted since then */
	uint32_t patience_ms;
};

/* Begins with zeros. Returns whether the encoder is to be told of `told`, which has changed. */
bool rate_steps_want(struct rate_steps *steps, struct rate wanted, uint64_t now_ns);
