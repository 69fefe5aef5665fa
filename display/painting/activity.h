/* SPDX-License-Identifier: MIT */
/*
 * activity: knows which parts of a head have changed often of late.
 *
 * The head is divided into cells of ACTIVITY_CELL pixels. A cell remembers in which of the last
 * ACTIVITY_SLOTS slots of time something in it changed, and is active while that was so in
 * ACTIVITY_SLOTS_ACTIVE of them. Active cells that touch each other form a group.
 *
 * Threads: none of its own; the worker thread of the head. Time is the caller's, in microseconds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/frame_link.h"

struct strips;

/*
 * A cell is as wide and as high as a strip is wide, which is a multiple of a tile's height. So a
 * tile lies in one cell.
 */
#define ACTIVITY_CELL 32u
#define ACTIVITY_SLOT_US 50000
#define ACTIVITY_SLOTS 8
#define ACTIVITY_SLOTS_ACTIVE 4
/* A cell counts as recent for this many microseconds after it was last active. */
#define ACTIVITY_RECENT_US 2000000

struct activity {
	uint32_t width, height; /* of the head */
	uint32_t columns, rows; /* of cells */
	/* Only activity.c uses these. */
	uint8_t *slots;     /* of each cell one bit a slot; the present slot's is the lowest */
	int64_t *active_us; /* when each cell was last found active */
	int64_t slot;       /* the present one */
	uint8_t *seen;      /* cells that the search has put into a group */
	uint32_t *stack;    /* cells of the present group whose neighbours are still to be seen */
	uint32_t next_cell; /* from which the search goes on */
};

void activity_init(struct activity *activity, uint32_t width, uint32_t height);
void activity_finish(struct activity *activity);

/*
 * Notes what the strips say has changed. It must be called after strips_look and before
 * strips_take.
 */
void activity_note(struct activity *activity, int64_t now_us, const struct strips *strips);

/* Makes the cells of the rectangle count as never changed. */
void activity_forget(struct activity *activity, const struct rect *rect);

/*
 * The first begins to go through the groups of active cells. The second fills in the rectangle
 * around the next one, or returns false when there are no more.
 */
void activity_search(struct activity *activity);
bool activity_next_group(struct activity *activity, int64_t now_us, struct rect *box);

/* Cells are numbered row by row. */
static inline uint32_t activity_cells(const struct activity *activity)
{
	return activity->columns * activity->rows;
}

struct rect activity_cell_rect(const struct activity *activity, uint32_t cell);
bool activity_is_active(const struct activity *activity, uint32_t cell);
bool activity_is_recent(const struct activity *activity, uint32_t cell, int64_t now_us);

/* Returns the rectangle with a margin of `by` pixels on each side, as far as the head goes. */
struct rect activity_widen(const struct activity *activity, const struct rect *rect, uint32_t by);
/* Says whether less than a cell lies between the two rectangles. */
bool activity_touch(const struct activity *activity, const struct rect *a, const struct rect *b);
