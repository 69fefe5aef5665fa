/* SPDX-License-Identifier: MIT */
/*
 * rect computes with rectangles of pixels.
 *
 * Sides are unsigned, so the right and bottom edges of a rectangle that a stranger made up may lie
 * beyond 32 bits: what compares edges here adds in 64 bits. Everything else assumes a rectangle
 * that lies inside a head (rect_fits() says so). The functions are pure, so any thread may call
 * them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Every pixel that crosses a border of ours has this many bytes: the fourccs are XR24 and its like.
 */
#define RECT_PIXEL_BYTES 4u

/*
 * All four are in pixels, counted from the upper left corner. The frame link carries it in this
 * layout, too.
 */
struct rect {
	uint32_t x, y, width, height;
};

static inline uint64_t rect_area(const struct rect *rect)
{
	return (uint64_t)rect->width * rect->height;
}

static inline bool rect_is_empty(const struct rect *rect)
{
	return rect->width == 0 || rect->height == 0;
}

/* These two give the first column to the right of the rectangle, and the first row below it. */
static inline uint32_t rect_right(const struct rect *rect)
{
	return rect->x + rect->width;
}

static inline uint32_t rect_bottom(const struct rect *rect)
{
	return rect->y + rect->height;
}

static inline bool rect_equal(const struct rect *a, const struct rect *b)
{
	return a->x == b->x && a->y == b->y && a->width == b->width && a->height == b->height;
}

/* Tells whether the rectangle lies inside width x height, whatever its values are. */
static inline bool rect_fits(const struct rect *rect, uint32_t width, uint32_t height)
{
	return rect->x <= width && rect->width <= width - rect->x && rect->y <= height &&
	       rect->height <= height - rect->y;
}

static inline bool rect_contains(const struct rect *outer, const struct rect *inner)
{
	return inner->x >= outer->x && inner->y >= outer->y &&
	       (uint64_t)inner->x + inner->width <= (uint64_t)outer->x + outer->width &&
	       (uint64_t)inner->y + inner->height <= (uint64_t)outer->y + outer->height;
}

/*
 * Gives in *out the common part. Returns false, and leaves *out alone, when the two share no pixel.
 */
static inline bool rect_intersect(const struct rect *a, const struct rect *b, struct rect *out)
{
	uint64_t a_right = (uint64_t)a->x + a->width, b_right = (uint64_t)b->x + b->width;
	uint64_t a_bottom = (uint64_t)a->y + a->height, b_bottom = (uint64_t)b->y + b->height;
	uint32_t x = a->x > b->x ? a->x : b->x, y = a->y > b->y ? a->y : b->y;
	uint64_t right = a_right < b_right ? a_right : b_right;
	uint64_t bottom = a_bottom < b_bottom ? a_bottom : b_bottom;
	if (x >= right || y >= bottom)
		return false;
	*out = (struct rect){ x, y, (uint32_t)(right - x), (uint32_t)(bottom - y) };
	return true;
}

/* Gives the smallest rectangle that holds both. */
static inline struct rect rect_join(const struct rect *a, const struct rect *b)
{
	uint64_t a_right = (uint64_t)a->x + a->width, b_right = (uint64_t)b->x + b->width;
	uint64_t a_bottom = (uint64_t)a->y + a->height, b_bottom = (uint64_t)b->y + b->height;
	uint32_t x = a->x < b->x ? a->x : b->x, y = a->y < b->y ? a->y : b->y;
	uint64_t right = a_right > b_right ? a_right : b_right;
	uint64_t bottom = a_bottom > b_bottom ? a_bottom : b_bottom;
	return (struct rect){ x, y, (uint32_t)(right - x), (uint32_t)(bottom - y) };
}

/* Cuts the part of `a` that lies outside `b` into rectangles. Returns how many there are, at
 * most 4. */
static inline unsigned rect_subtract(const struct rect *a, const struct rect *b, struct rect out[4])
{
	struct rect hole;
	unsigned n = 0;
	if (!rect_intersect(a, b, &hole)) {
		out[0] = *a;
		return 1;
	}
	if (hole.y > a->y)
		out[n++] = (struct rect){ a->x, a->y, a->width, hole.y - a->y };
	if (rect_bottom(&hole) < rect_bottom(a))
		out[n++] = (struct rect){ a->x, rect_bottom(&hole), a->width,
			rect_bottom(a) - rect_bottom(&hole) };
	if (hole.x > a->x)
		out[n++] = (struct rect){ a->x, hole.y, hole.x - a->x, hole.height };
	if (rect_right(&hole) < rect_right(a))
		out[n++] = (struct rect){ rect_right(&hole), hole.y,
			rect_right(a) - rect_right(&hole), hole.height };
	return n;
}
