/* SPDX-License-Identifier: MIT */
/*
 * pace: how many bytes of pictures a head's client can be given now, so that what it is sent is
 * current.
 *
 * Pictures go out in lots of about SEND_BUDGET_AHEAD_US of line time. When a lot is full no picture
 * is made: damage gathers in the head, the newest frame replaces older ones, and when the line has
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

#define SEND_BUDGET_AHEAD_US 40000
/* A screenful of text. On a near line that was never full: enough for it to show what it can carry.
 */
#define SEND_BUDGET_BYTES_MIN 32768u
#define SEND_BUDGET_BYTES_UNTRIED 262144u
/* With so much above a round trip's worth under way the line is busy. */
#define SEND_BUDGET_BUSY_BYTES 16384u
/* Small changes beyond a lot. */
#define SEND_BUDGET_OVER_BYTES 8192u
#define SEND_BUDGET_UNLIMITED UINT64_MAX

struct send_budget {
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

/* What may be given at once; 0: wait for the line's wake, or ask again soon if *again is set. */
uint64_t send_budget_get(struct send_budget *budget, int64_t now_us, bool *again);
/* And so much if that is a small change, such as a key press makes, even while the lot is full. */
uint64_t send_budget_get_small(const struct send_budget *budget);
void send_budget_spend(struct send_budget *budget, int64_t now_us, uint64_t bytes);

/* What may be sent without loss, in bits a second; see regions.h. */
uint64_t send_budget_lossless_bps(const struct send_budget *budget);
