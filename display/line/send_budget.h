/* SPDX-License-Identifier: MIT */
/*
 * pace: how many bytes of pictures a head's client can be given now, so that what it is sent is
 * current.
 *
 * Pictures go out in lots of about PACE_AHEAD_US of line time. When a lot is full no picture is
 * made: damage gathers in the head, the newest frame replaces older ones, and when the line has
 * nearly drained the worker is woken and begins the next lot with that one. What spice-server keeps
 * cannot be seen, so pictures count by their estimated size, and a line that drains says that all
 * of them left.
 *
 * A line's rate is known only once it was full (line_rate.h), so lots begin small and double
 * whenever one went quickly.
 *
 * Without a line that is known (unix sockets) there is no limit: spice-server's own queue is one.
 *
 * Threads: the worker thread of the head.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display/line/line.h"

#define PACE_AHEAD_US 40000
/* A screenful of text. On a near line that was never full: enough for it to show what it can carry.
 */
#define PACE_BYTES_MIN 32768u
#define PACE_BYTES_UNTRIED 262144u
/* With so much above a round trip's worth under way the line is busy. */
#define PACE_BUSY_BYTES 16384u
/* Small changes beyond a lot. */
#define PACE_OVER_BYTES 8192u
#define PACE_UNLIMITED UINT64_MAX

struct pace {
	struct line *line; /* NULL: none is ever known */
	unsigned head;
	uint64_t lot_bytes;  /* given since the lot began */
	uint64_t lot_max;    /* 0: not known */
	uint64_t over_bytes; /* given beyond it */
	bool full;           /* the lot, when last asked */
	int64_t lot_us;      /* when it began */
	int64_t given_us;    /* the last picture */
	uint64_t left_bytes; /* had left spice-server when the lot began */
};

/* Most bytes of a lot at this rate. */
uint64_t pace_mark(const struct line_figures *figures);

/* What may be given at once; 0: wait for the line's wake, or ask again soon if *again is set. */
uint64_t pace_budget(struct pace *pace, int64_t now_us, bool *again);
/* And so much if that is a small change, such as a key press makes, even while the lot is full. */
uint64_t pace_small_budget(const struct pace *pace);
void pace_gave(struct pace *pace, int64_t now_us, uint64_t bytes);

/* What may be sent without loss, in bits a second; see regions.h. */
uint64_t pace_lossless_bps(const struct pace *pace);
