/* SPDX-License-Identifier: MIT */
/*
 * changes: says in a plain struct what one frame of a head differs in from what was sent before,
 * and how that moves. comparer.h finds these facts by looking at pixels; send_plan.h makes
 * drawables of them without looking at any.
 *
 * Threads: none of its own; the worker thread of the head.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/frame_link.h"

struct damage;
struct frame;

#define CHANGES_RECTS_MAX 64
/* A head has at most this many video areas at once. */
#define CHANGES_AREAS_MAX 4

/* It says that a part of the picture has moved up or down. */
struct scroll {
	struct rect rect; /* shows what was shown at ... */
	uint32_t from_y;  /* ... the same x and this y */
};

/*
 * A video area is a part of the head that moves as films do. It keeps its rectangle while it lives.
 */
struct moving_area {
	unsigned serial; /* its name, not 0; no other area of the head ever has the same */
	struct rect rect;
	bool changed; /* in this frame */
};

struct changes {
	const struct frame *frame; /* with the pixels; the maker's */
	/*
	 * These differ once the scroll was done. They may overlap areas, which are not part of
	 * them.
	 */
	struct rect rects[CHANGES_RECTS_MAX + 1];
	unsigned n_rects;
	bool scrolled;
	struct scroll scroll; /* if `scrolled` */
	/* All areas that live are listed, whether they changed or not. */
	struct moving_area areas[CHANGES_AREAS_MAX];
	unsigned n_areas;
	/* These areas have ended; what they show is in `rects` again. */
	struct rect ended[CHANGES_AREAS_MAX];
	unsigned n_ended;
};

/*
 * It says what whoever sends wants to have as a video area, in terms of what a picture shows.
 * Shaded content that moves always is one.
 */
struct video_wish {
	/*
	 * Drawn content (text, lines) is one if it would take more bits a second than this without
	 * loss.
	 */
	uint64_t drawn_bps_max;
	/* An area begins with all that has moved of late, so that it need not grow later. */
	bool begin_large;
};

/*
 * Fills in the changes when nothing is known of what was sent: they are the damage itself, or all
 * of the head if it has many parts. Empties the damage.
 */
void changes_from_damage(struct changes *changes, const struct frame *frame, struct damage *damage);

/* Estimates how many bytes a part of the frame takes when it is sent without loss. */
uint64_t changes_lossless_bytes(const struct changes *changes, const struct rect *rect);
