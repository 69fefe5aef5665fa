/* SPDX-License-Identifier: MIT */
/*
 * painter: brings spice-server's surface of one head up to the guest's newest frame, a picture at a
 * time, when spice-server asks.
 *
 * It takes the newest frame with all damage that has gathered, finds out what of it differs from
 * what was last sent (tiles.h), and makes steps of that: rectangles. If a newer frame comes before
 * all steps were taken, the steps that are left become damage again and the newer frame is used.
 * Nothing differs: no picture at all. Small changes come first, then moving regions, then the rest,
 * in pieces of what the line takes: a key press is not held up by a screen that is being refined.
 *
 * Frames that nobody looks at are compared with nothing and nothing is kept of them.
 *
 * Threads: spice-server's worker thread of this head; made before it starts, destroyed after it
 * ended.
 */
#pragma once

#include "display/heads/damage.h"
#include "display/heads/head.h"
#include "display/painting/bitmap.h"

/* Rectangles made of one frame at most. */
#define PAINTER_RECTS_MAX 64
#define PAINTER_STEPS_MAX 160
/* Share of a head, in percent, from which all of it is sent: from render's buffer, uncopied. */
#define PAINTER_WHOLE_PERCENT 70

/*
 * spice-server begins a stream with the 20th drawable of the same rectangle
 * (STREAM_FRAMES_START_CONDITION in its video-stream.h). A region's first frame is submitted so
 * often: each but the last is superseded before it is looked at.
 */
#define PAINTER_STREAM_BURST 22
/* Rectangles of regions that ended, as spice-server may still have a stream for each. */
#define PAINTER_ENDED_MAX 4

struct video_areas;
struct strips;

struct painter_step {
	enum bitmap_kind kind;
	struct rect rect;
	uint32_t from_x, from_y; /* SCROLL */
	uint64_t bytes;          /* on the wire, estimated */
	bool point;              /* show it where it lies, else copy */
	bool moving;
	unsigned again; /* so many times more */
};

struct painter {
	struct head *head;
	unsigned mode;
	struct bitmap_store store;
	struct strips *tiles;          /* NULL: nothing is known */
	struct bitmap_source *current; /* what the steps and live regions show, or NULL */
	struct video_areas *regions;   /* NULL: nobody looks */
	struct rect ended[PAINTER_ENDED_MAX];
	unsigned n_ended; /* so far; the last ones are kept */
	struct painter_step steps[PAINTER_STEPS_MAX];
	unsigned n_steps, next_step;
	uint32_t resume_y; /* large steps that were given up began here: they come first */
	/* A still picture holds a buffer, which no region covers: it is to be drawn. */
	bool whole_held;
	struct damage damage; /* of `current`, while it is looked at */
};

struct painter *painter_create(struct head *head);
/* Every picture was released. */
void painter_destroy(struct painter *painter);

/* What the way to the client takes (pace.h). */
struct painter_limits {
	uint64_t budget_bytes; /* for this picture; 0: only a small one */
	uint64_t small_bytes;  /* for a small one */
	uint64_t lossless_bps; /* for drawn content that moves */
};

/* Answers STARVED only once between two releases. */
enum bitmap_result painter_take(struct painter *painter, int64_t now_us,
	const struct painter_limits *limits, struct bitmap *picture);

/* Ask again every PAINTER_TICK_MS, even if no frame comes: something may end. */
#define PAINTER_TICK_MS 25
bool painter_wants_ticks(const struct painter *painter);

/* Releases a picture; true when something waits for that. */
bool painter_release(struct painter *painter, struct bitmap *picture);
