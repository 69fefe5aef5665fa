/* SPDX-License-Identifier: MIT */
/*
 * damage: which parts of a head have changed and were not shown yet.
 *
 * A bounded list of rectangles. Rectangles stay as they came (spice-server recognises motion by
 * seeing the very same rectangle again), they may overlap, and one that lies inside another is
 * dropped. Past DAMAGE_RECTS_MAX the list is folded into the tiles of a coarse grid: it may then
 * name more than what changed, never less.
 *
 * Threads: none of its own; the owner locks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/frame_link.h"

#define DAMAGE_RECTS_MAX 1024
/* Tiles per side after folding: 16 * 16 rectangles leave room for many more. */
#define DAMAGE_GRID 16

struct damage {
	uint32_t width, height; /* of the head: rectangles are clipped to it */
	unsigned n_rects;
	struct rect rects[DAMAGE_RECTS_MAX];
};

/* Empties the list and sets the size it covers. */
void damage_reset(struct damage *damage, uint32_t width, uint32_t height);

/* What of `rect` lies outside is cut off; 64-bit sums make any input safe. */
void damage_add(struct damage *damage, const struct rect *rect);
void damage_add_all(struct damage *damage);

bool damage_is_empty(const struct damage *damage);

/* Pixels named, counting overlaps twice: an upper bound. */
uint64_t damage_area(const struct damage *damage);

/*
 * Takes the oldest rectangle off the list, or, if it has more than pixels_max pixels, as many of
 * its upper rows as fit (at least one). Returns false when there is none.
 */
bool damage_take(struct damage *damage, uint64_t pixels_max, struct rect *rect);
