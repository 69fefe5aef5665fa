/* SPDX-License-Identifier: MIT */
/*
 * prospects: watches groups of cells that have moved for a while and may become video areas, and
 * looks for their edges.
 *
 * Cells are coarse, and the text around a film must not be part of the film. So a prospect is
 * watched for PROSPECT_LOOKS frames: strips tell the rows that change exactly, hashes of single
 * pixel columns tell the columns at its left and right edge.
 *
 * Threads: none of its own; the worker thread of the head. Time is the caller's, in microseconds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display/painting/activity.h"
#include "display/painting/content.h"

#define PROSPECTS_MAX 4
/* It takes this many frames to find a prospect's edges. */
#define PROSPECT_LOOKS 5

struct prospect {
	struct rect box;    /* whole cells */
	struct rect change; /* what of it was seen to change; its rows are exact */
	/*
	 * These are hashes of the ACTIVITY_CELL pixel columns at its left and at its right edge,
	 * and whether one has changed.
	 */
	uint64_t columns[2][ACTIVITY_CELL];
	bool moved[2][ACTIVITY_CELL];
	unsigned looks;        /* frames looked at since it began anew */
	unsigned growths;      /* times that it began anew because it had grown */
	int64_t first_us;      /* when it began anew */
	int64_t rest_until_us; /* it is not looked at before */
	bool confirmed;        /* it is still active in this round */
};

struct prospects {
	struct prospect list[PROSPECTS_MAX];
	unsigned n;
};

/*
 * There is one round a frame: every group of active cells is proposed, and who was not leaves the
 * list.
 */
void prospects_begin_round(struct prospects *prospects);
void prospects_propose(struct prospects *prospects, const struct activity *activity,
	const struct rect *box, int64_t now_us);
void prospects_end_round(struct prospects *prospects);

/*
 * Looks at what this frame has changed in the prospect, which the strips know until strips_take.
 * Returns true when the prospect's edges are known: then `change` and prospect_rect are good.
 */
bool prospect_look(struct prospect *prospect, int64_t now_us, const struct strips *strips,
	const struct pixel_rows *pixels);

/* Returns the part of the prospect that moves, to the pixel. */
struct rect prospect_rect(const struct prospect *prospect);

/* Returns the mean time between two of its changes. */
int64_t prospect_interval_us(const struct prospect *prospect, int64_t now_us);

/* Begins to watch the prospect anew, but not before rest_until_us. */
void prospect_rest(struct prospect *prospect, int64_t now_us, int64_t rest_until_us);

/* Takes the prospect off the list; the last one takes its place. */
void prospects_remove(struct prospects *prospects, unsigned i);
