/* SPDX-License-Identifier: MIT */
/*
 * region: a bounded set of rectangles, used for damage and for what is stale in a buffer.
 *
 * It may grow to more than was added (rectangles are merged when there are too many), never to
 * less. A value type; no thread of its own.
 */
#pragma once

#include <stdbool.h>

#include "protocol/frame_link.h"

struct region {
	unsigned n_rects;
	struct frame_rect rects[FRAME_RECTS_MAX];
};

bool rect_is_empty(const struct frame_rect *rect);
/* The common part of two rectangles; empty (width and height 0) when there is none. */
struct frame_rect rect_intersect(const struct frame_rect *a, const struct frame_rect *b);
bool rect_contains(const struct frame_rect *outer, const struct frame_rect *inner);
/* True when the rectangle lies inside width x height; no overflow, whatever the values. */
bool rect_fits(const struct frame_rect *rect, uint32_t width, uint32_t height);

void region_clear(struct region *region);
bool region_is_empty(const struct region *region);
/* Adds a rectangle; an empty one changes nothing. */
void region_add(struct region *region, const struct frame_rect *rect);
void region_add_region(struct region *region, const struct region *other);
/* Drops the rectangles that lie entirely inside `rect`. */
void region_remove_covered(struct region *region, const struct frame_rect *rect);
