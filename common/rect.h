/* SPDX-License-Identifier: MIT */
/*
 * rects: sums of rectangles. All of them lie inside a head, so nothing overflows.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/frame_link.h"

static inline uint64_t rect_area(const struct frame_rect *rect)
{
	return (uint64_t)rect->width * rect->height;
}

static inline uint32_t rect_right(const struct frame_rect *rect)
{
	return rect->x + rect->width;
}

static inline uint32_t rect_bottom(const struct frame_rect *rect)
{
	return rect->y + rect->height;
}

static inline bool rect_equal(const struct frame_rect *a, const struct frame_rect *b)
{
	return a->x == b->x && a->y == b->y && a->width == b->width && a->height == b->height;
}

static inline bool rect_contains(const struct frame_rect *outer, const struct frame_rect *inner)
{
	return inner->x >= outer->x && inner->y >= outer->y &&
	       rect_right(inner) <= rect_right(outer) && rect_bottom(inner) <= rect_bottom(outer);
}

/* False, and *out untouched, when they share no pixel. */
static inline bool rect_intersect(
	const struct frame_rect *a, const struct frame_rect *b, struct frame_rect *out)
{
	uint32_t x = a->x > b->x ? a->x : b->x, y = a->y > b->y ? a->y : b->y;
	uint32_t right = rect_right(a) < rect_right(b) ? rect_right(a) : rect_right(b);
	uint32_t bottom = rect_bottom(a) < rect_bottom(b) ? rect_bottom(a) : rect_bottom(b);
	if (x >= right || y >= bottom)
		return false;
	*out = (struct frame_rect){ x, y, right - x, bottom - y };
	return true;
}

/* The smallest rectangle that holds both. */
static inline struct frame_rect rect_join(const struct frame_rect *a, const struct frame_rect *b)
{
	uint32_t x = a->x < b->x ? a->x : b->x, y = a->y < b->y ? a->y : b->y;
	uint32_t right = rect_right(a) > rect_right(b) ? rect_right(a) : rect_right(b);
	uint32_t bottom = rect_bottom(a) > rect_bottom(b) ? rect_bottom(a) : rect_bottom(b);
	return (struct frame_rect){ x, y, right - x, bottom - y };
}

/* What of `a` lies outside `b`: above, below, left, right of it. Returns how many, at most 4. */
static inline unsigned rect_subtract(
	const struct frame_rect *a, const struct frame_rect *b, struct frame_rect out[4])
{
	struct frame_rect hole;
	unsigned n = 0;
	if (!rect_intersect(a, b, &hole)) {
		out[0] = *a;
		return 1;
	}
	if (hole.y > a->y)
		out[n++] = (struct frame_rect){ a->x, a->y, a->width, hole.y - a->y };
	if (rect_bottom(&hole) < rect_bottom(a))
		out[n++] = (struct frame_rect){ a->x, rect_bottom(&hole), a->width,
			rect_bottom(a) - rect_bottom(&hole) };
	if (hole.x > a->x)
		out[n++] = (struct frame_rect){ a->x, hole.y, hole.x - a->x, hole.height };
	if (rect_right(&hole) < rect_right(a))
		out[n++] = (struct frame_rect){ rect_right(&hole), hole.y,
			rect_right(a) - rect_right(&hole), hole.height };
	return n;
}
