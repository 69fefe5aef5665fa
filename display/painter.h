/* SPDX-License-Identifier: MIT */
/*
 * painter: brings spice-server's surface of one head up to the guest's newest frame, a picture at a
 * time, when spice-server asks.
 *
 * It takes the newest frame with all damage that has gathered, finds out what of it differs from what
 * was last sent (tiles.h), and makes steps of that: rectangles. If a newer frame comes before all
 * steps were taken, the steps that are left become damage again and the newer frame is used. Nothing
 * differs: no picture at all.
 *
 * Frames that nobody looks at are compared with nothing and nothing is kept of them.
 *
 * Threads: spice-server's worker thread of this head; made before it starts, destroyed after it ended.
 */
#pragma once

#include "display/damage.h"
#include "display/head.h"
#include "display/picture.h"

/* Rectangles made of one frame at most. */
#define PAINTER_RECTS_MAX 64
/* Share of a head, in percent, from which all of it is sent: from render's buffer, uncopied. */
#define PAINTER_WHOLE_PERCENT 70

struct tiles;

struct painter_step {
	enum picture_kind kind;
	struct frame_rect rect;
	uint32_t from_x, from_y; /* SCROLL */
	bool point;              /* show it where it lies, else copy */
	bool moving;
};

struct painter {
	struct head *head;
	unsigned mode;
	struct picture_store store;
	struct tiles *tiles;            /* NULL: nothing is known */
	struct picture_source *current; /* what the steps show; NULL: no steps are left */
	struct painter_step steps[PAINTER_RECTS_MAX];
	unsigned n_steps, next_step;
	struct damage damage; /* of `current`, while it is looked at */
};

struct painter *painter_create(struct head *head);
/* Every picture was released. */
void painter_destroy(struct painter *painter);

/* Answers STARVED only once between two releases. */
enum picture_result painter_take(struct painter *painter, struct picture *picture);

/* Releases a picture; true when something waits for that. */
bool painter_release(struct painter *painter, struct picture *picture);
