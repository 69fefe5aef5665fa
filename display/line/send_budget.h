/* SPDX-License-Identifier: MIT */
/*
 * send budget: says how many bytes of bitmaps a head's client can be given now, so that what it is
 * sent is current.
 *
 * We send at most what the line carries in SEND_BUDGET_AHEAD_US, a *lot*, then wait until it has
 * nearly drained. Meanwhile no bitmap is made: damage gathers in the head, and the newest frame
 * replaces older ones. Then the worker is woken and begins the next lot with the newest. What
 * spice-server keeps cannot be seen. So bitmaps count by their estimated size, and a line that
 * drains tells that all of them have left.
 *
 * A line's rate is known only once the line was full (line_rate.h). So lots begin small, and double
 * whenever one went quickly.
 *
 * Where there is no line (unix sockets) there is no limit but spice-server's own queue.
 *
 * Threads: the head's SPICE worker.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display/line/line.h"

#define SEND_BUDGET_AHEAD_US 40000
/* The smallest lot has this many bytes: there is room for a screenful of text. */
#define SEND_BUDGET_BYTES_MIN 32768u
/*
 * On a near line that was never full the smallest lot has this many bytes: enough for the line to
 * show what it can carry.
 */
#define SEND_BUDGET_BYTES_UNTRIED 262144u
/* A line is busy when this many bytes more are under way than fly through its round trip. */
#define SEND_BUDGET_BUSY_BYTES 16384u
/* Small changes, such as a typed letter, may add this many bytes to a full lot. */
#define SEND_BUDGET_OVER_BYTES 8192u
#define SEND_BUDGET_UNLIMITED UINT64_MAX

struct send_budget {
	struct line *line; /* NULL: none is ever known */
	unsigned head;
	uint64_t lot_bytes;  /* spent since the lot began */
	uint64_t lot_max;    /* the most that a lot may be for now; 0: not known */
	uint64_t over_bytes; /* of lot_bytes, what was spent when the lot was full */
	bool full;           /* the lot was full when last asked */
	int64_t lot_us;      /* when the lot's first bitmap was given */
	int64_t given_us;    /* when the last one was */
	uint64_t left_bytes; /* what had left spice-server when the lot began */
};

/* Returns the most bytes that a lot may have at this rate. */
uint64_t send_budget_mark(const struct line_figures *figures);

/*
 * Returns how many bytes may be spent now. 0: the caller waits for the line's wake, or asks again
 * soon if *again is set.
 */
uint64_t send_budget_get(struct send_budget *budget, int64_t now_us, bool *again);
/* Returns how many bytes a small change may spend even while the lot is full. */
uint64_t send_budget_get_small(const struct send_budget *budget);
/* Notes that a bitmap of this estimated size was given to spice-server. */
void send_budget_spend(struct send_budget *budget, int64_t now_us, uint64_t bytes);

/* Returns the bits per second that moving content may take without loss (painting/send_plan.h). */
uint64_t send_budget_lossless_bps(const struct send_budget *budget);
