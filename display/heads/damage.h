/* SPDX-License-Identifier: MIT */
/*
 * damage: keeps which parts of a head have changed and were not shown yet.
 *
 * It is a bounded list of rectangles. They stay as they came, so that what a program draws as one
 * piece is looked at as one piece. They may overlap, but one that lies inside another is dropped.
 * Past DAMAGE_RECTS_MAX the list is folded: each cell of a coarse grid keeps the box around what
 * changed inside it. The list may then name more than what changed, never less.
 *
 * Threads: none of its own; the owner locks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display/heads/limits.h"

/*
 * The grid has this many cells per side: the 256 rectangles after folding leave room for many more.
 */
#define DAMAGE_GRID 16

struct damage {
	uint32_t width, height; /* of the head: rectangles are clipped to it */
	unsigned n_rects;
	struct rect rects[DAMAGE_RECTS_MAX];
};

/* Empties the list and sets the size that it covers. */
void damage_reset(struct damage *damage, uint32_t width, uint32_t height);

/* Adds the part of `rect` that lies inside; its numbers may be anything. */
void damage_add(struct damage *damage, const struct rect *rect);
void damage_add_all(struct damage *damage);

bool damage_is_empty(const struct damage *damage);

/* Returns how many pixels the list names. Overlaps count twice: it is an upper bound. */
uint64_t damage_area(const struct damage *damage);

/*
 * Takes the oldest rectangle off the list, or, if it has more than pixels_max pixels, as many of
 * its upper rows as fit (at least one). Returns false when there is none.
 */
bool damage_take(struct damage *damage, uint64_t pixels_max, struct rect *rect);
