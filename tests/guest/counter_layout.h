/* SPDX-License-Identifier: MIT */
/*
 * counter_layout: the frame counter strip that the guest program frame-counter draws and that host
 * programs find and read in a picture, also one that went through lossy video.
 *
 * The strip is one row of COUNTER_CELLS square cells of COUNTER_CELL_PX device pixels, never
 * scaled:
 *
 *   cells 0-3    magenta green magenta green    the mark to find it by, read left to right
 *   cells 4-27   24 bits of the counter, most significant first; white 1, black 0
 *   cells 28-35  8 check bits, counter_check(value), most significant first
 *   cells 36-37  green magenta                  the end mark
 *
 * It stands in a black frame COUNTER_BORDER_PX wide. frame-counter draws one strip in the top left
 * and one in the bottom left corner of its window, so that one stays readable when a window covers
 * the other; both belong to the same frame and show the same value. The value rises by one with
 * each frame drawn and wraps at 2^24.
 *
 * Below the upper strip's black frame stand COUNTER_BARS rectangles of known colours, for tests
 * that compare pixels: bar i begins COUNTER_BAR_WIDTH_PX * i right of the strip's first cell and
 * COUNTER_BAR_OFFSET_Y_PX below its upper edge. They never change.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNTER_CELL_PX 16
#define COUNTER_BORDER_PX 8
#define COUNTER_MARK_CELLS 4
#define COUNTER_VALUE_BITS 24
#define COUNTER_CHECK_BITS 8
#define COUNTER_END_CELLS 2
#define COUNTER_CELLS                                                                              \
	(COUNTER_MARK_CELLS + COUNTER_VALUE_BITS + COUNTER_CHECK_BITS + COUNTER_END_CELLS)
#define COUNTER_WIDTH_PX (COUNTER_CELLS * COUNTER_CELL_PX)
#define COUNTER_HEIGHT_PX COUNTER_CELL_PX
#define COUNTER_VALUE_MASK ((1u << COUNTER_VALUE_BITS) - 1)

/* These are the colours as 0xRRGGBB. */
#define COUNTER_MAGENTA 0xff00ffu
#define COUNTER_GREEN 0x00ff00u
#define COUNTER_WHITE 0xffffffu
#define COUNTER_BLACK 0x000000u

#define COUNTER_BARS 10
#define COUNTER_BAR_WIDTH_PX 60
#define COUNTER_BAR_HEIGHT_PX 40
#define COUNTER_BAR_OFFSET_Y_PX (COUNTER_HEIGHT_PX + COUNTER_BORDER_PX)

static const uint32_t counter_bar_colors[COUNTER_BARS] = {
	0x000000,
	0xff0000,
	0x00ff00,
	0x0000ff,
	0xffff00,
	0x00ffff,
	0xff00ff,
	0xffffff,
	0x804020,
	0x204080,
};

static inline uint32_t counter_check(uint32_t value)
{
	return (value ^ value >> 8 ^ value >> 16 ^ 0xa5) & 0xff;
}

/* Returns the colour of one cell, 0 .. COUNTER_CELLS - 1. */
static inline uint32_t counter_cell_color(uint32_t value, int cell)
{
	const int n_bits = COUNTER_VALUE_BITS + COUNTER_CHECK_BITS;
	const uint64_t bits =
		(uint64_t)(value & COUNTER_VALUE_MASK) << COUNTER_CHECK_BITS | counter_check(value);
	const int bit = cell - COUNTER_MARK_CELLS;

	if (bit < 0)
		return cell % 2 == 0 ? COUNTER_MAGENTA : COUNTER_GREEN;
	if (bit >= n_bits)
		return bit == n_bits ? COUNTER_GREEN : COUNTER_MAGENTA;
	return bits >> (n_bits - 1 - bit) & 1 ? COUNTER_WHITE : COUNTER_BLACK;
}

/*
 * Describes a picture to read: 32-bit pixels 0xXXRRGGBB in host byte order (DRM_FORMAT_XRGB8888),
 * row 0 on top.
 */
struct counter_picture {
	const uint8_t *pixels;
	int width, height;
	size_t stride_bytes;
};

static inline uint32_t counter_pixel(const struct counter_picture *picture, int x, int y)
{
	const uint32_t *row = (const uint32_t *)(const void *)(picture->pixels +
							       picture->stride_bytes * (size_t)y);

	return row[x] & 0xffffff;
}

/*
 * Compares only on which side of the middle each channel lies, as video moves colours a long way.
 */
static inline bool counter_is(uint32_t pixel, uint32_t color)
{
	return ((pixel ^ color) & 0x808080) == 0;
}

/*
 * Reads the strip whose first cell's top left corner is at x, y. Returns false when no valid strip
 * is there.
 */
static inline bool counter_read_at(
	const struct counter_picture *picture, int x, int y, uint32_t *value)
{
	uint64_t bits = 0;

	if (x < 0 || y < 0 || x > picture->width - COUNTER_WIDTH_PX ||
		y > picture->height - COUNTER_HEIGHT_PX)
		return false;
	for (int cell = 0; cell < COUNTER_CELLS; cell++) {
		const uint32_t pixel = counter_pixel(picture,
			x + cell * COUNTER_CELL_PX + COUNTER_CELL_PX / 2, y + COUNTER_CELL_PX / 2);
		const int bit = cell - COUNTER_MARK_CELLS;

		if (bit < 0 || bit >= COUNTER_VALUE_BITS + COUNTER_CHECK_BITS) {
			if (!counter_is(pixel, counter_cell_color(0, cell)))
				return false;
			continue;
		}
		if (!counter_is(pixel, COUNTER_WHITE) && !counter_is(pixel, COUNTER_BLACK))
			return false;
		bits = bits << 1 | counter_is(pixel, COUNTER_WHITE);
	}
	*value = (uint32_t)(bits >> COUNTER_CHECK_BITS);
	return (bits & 0xff) == counter_check(*value);
}

/*
 * Finds a strip anywhere: looks at every fourth row for a magenta to green edge, then reads there.
 */
static inline bool counter_find(
	const struct counter_picture *picture, uint32_t *value, int *x, int *y)
{
	for (int row = 0; row < picture->height; row += COUNTER_CELL_PX / 4) {
		for (int edge = COUNTER_CELL_PX; edge < picture->width; edge++) {
			if (!counter_is(counter_pixel(picture, edge, row), COUNTER_GREEN) ||
				!counter_is(counter_pixel(picture, edge - 2, row), COUNTER_MAGENTA))
				continue;
			/*
			 * The row is one of the strip's, so the strip's middle is within half a
			 * cell of it.
			 */
			for (int up = 0; up < COUNTER_CELL_PX; up += COUNTER_CELL_PX / 4) {
				if (counter_read_at(
					    picture, edge - COUNTER_CELL_PX, row - up, value)) {
					*x = edge - COUNTER_CELL_PX;
					*y = row - up;
					return true;
				}
			}
		}
	}
	return false;
}
