/* SPDX-License-Identifier: MIT */
/*
 * send plan: answers the second question of painting, how is it sent. It makes steps of the changes
 * of one frame, puts them in the order in which a client should see them, and hands them out as
 * bitmaps of the size that the line takes. It compares no pixels.
 *
 * Small changes come first, then video, then the rest, in pieces of what the line takes: a key
 * press is not held up by a screen that is being refined. If a newer frame comes before all steps
 * were taken, the owner asks what was left (send_plan_give_up) and makes the plan of the newer one.
 *
 * spice-server sends as a stream what it is given again and again with the same rectangle. So the
 * first frame of a video area is submitted SEND_STREAM_BURST times, each frame of it goes in one
 * bitmap, and a still bitmap never has the rectangle of an area that has ended.
 *
 * Threads: none of its own; the worker thread of the head.
 */
#pragma once

#include "display/painting/bitmap.h"
#include "display/painting/changes.h"

#define SEND_STEPS_MAX 160
/* When this share of a head, in percent, has changed, all of it is sent: from render's buffer,
 * without a copy. */
#define SEND_WHOLE_PERCENT 70
/*
 * spice-server begins a stream with the 20th drawable of the same rectangle
 * (STREAM_FRAMES_START_CONDITION in its video-stream.h). All drawables of the burst but the last
 * are superseded before spice-server looks at them.
 */
#define SEND_STREAM_BURST 22
/*
 * This many rectangles of areas that ended are kept, as spice-server may still have a stream for
 * each.
 */
#define SEND_ENDED_MAX 4

/* It says what the way to the client takes (display/line/send_budget.h). */
struct send_limits {
	uint64_t budget_bytes; /* for the next bitmap; 0: only a small one */
	uint64_t small_bytes;  /* for a small one */
	uint64_t lossless_bps; /* for drawn content that moves, in bits a second */
};

struct send_step {
	enum bitmap_kind kind;
	struct rect rect;        /* what of it was not taken yet */
	uint32_t from_x, from_y; /* if it is a scroll */
	uint64_t bytes;          /* on the wire, estimated */
	bool point;              /* show it where it lies in render's buffer, else copy it */
	unsigned area;           /* serial of the video area that it is; 0: none */
	unsigned again;          /* submit it this many extra times */
};

/* It says how a video area was sent so far. */
struct sent_area {
	unsigned serial; /* as in struct moving_area */
	struct rect rect;
	bool begun; /* its first frame was sent with this rectangle */
	bool due;   /* it has changed and was not sent since */
};

struct send_plan {
	unsigned head; /* its number, for figures */
	struct send_step steps[SEND_STEPS_MAX];
	unsigned n_steps, next_step;
	struct sent_area areas[CHANGES_AREAS_MAX];
	unsigned n_areas;
	struct rect ended[SEND_ENDED_MAX];
	unsigned n_ended; /* so far; the last SEND_ENDED_MAX are kept */
	/* Large steps that were given up began at this row: the next plan goes on there. */
	uint32_t resume_y;
	/* A still bitmap holds one of render's buffers, and no video area covers it: only when
	 * spice-server draws it into its surface does the buffer come back. */
	bool whole_held;
};

void send_plan_init(struct send_plan *plan, unsigned head);

/* Forgets everything about what spice-server shows, since the mode has changed or nobody looks. */
void send_plan_forget(struct send_plan *plan);

/* Says what is to be a video area, so that the line can take it. */
struct video_wish send_plan_wish(const struct send_limits *limits);

/* Makes the steps of a frame; no step may be left. `source` has the frame of `changes`. */
void send_plan_make(struct send_plan *plan, struct bitmap_source *source,
	const struct changes *changes, const struct send_limits *limits);

bool send_plan_has_steps(const struct send_plan *plan);
/*
 * Says whether a video area lives: its last frame must be kept, to be shown without loss in the
 * end.
 */
bool send_plan_has_video(const struct send_plan *plan);

/*
 * Takes the next step, or the upper part of it, as a bitmap of `source`, the one that the plan was
 * made with. A step must be left. Answers as painter_take does, but never NONE.
 */
enum bitmap_result send_plan_take(struct send_plan *plan, struct bitmap_source *source,
	const struct send_limits *limits, struct bitmap *bitmap);

/*
 * Drops the steps that are left. Writes the rectangles that were not sent and returns how many; of
 * video areas it remembers that itself.
 */
unsigned send_plan_give_up(struct send_plan *plan, struct rect rects[SEND_STEPS_MAX]);
