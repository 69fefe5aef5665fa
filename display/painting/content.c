/* SPDX-License-Identifier: MIT */
#include "display/painting/content.h"

#include <stdlib.h>

#include "common/rect.h"

/* Two pixels whose channels differ by no more than this are shades of one colour. */
#define SMALL_STEP 24
/*
 * From this share on, in percent, content is shaded. Of text with smoothed edges up to 12 % differ
 * a little, of shaded scenes on a plain background 25 % and more.
 */
#define SMOOTH_PERCENT 20u
/*
 * LZ4 makes this many bytes of a pixel that differs from its neighbour, and of one that does not.
 */
#define BYTES_PER_CHANGE 3.6
#define BYTES_PER_REPEAT 0.02

struct pairs {
	uint64_t equal, small, large;
};

static bool is_small(uint32_t a, uint32_t b)
{
	for (unsigned shift = 0; shift < 24; shift += 8) {
		if (abs((int)(a >> shift & 0xff) - (int)(b >> shift & 0xff)) > SMALL_STEP)
			return false;
	}
	return true;
}

static void count_row(const uint32_t *row, uint32_t width, struct pairs *pairs)
{
	for (uint32_t x = 1; x < width; x++) {
		uint32_t differ = (row[x] ^ row[x - 1]) & 0xffffff;
		if (differ == 0)
			pairs->equal++;
		else if (is_small(row[x], row[x - 1]))
			pairs->small++;
		else
			pairs->large++;
	}
}

struct content content_look(const uint8_t *pixels, uint32_t stride_bytes, const struct rect *rect)
{
	struct pairs pairs = { 0 };
	uint32_t step = rect->height / CONTENT_ROWS + 1;
	for (uint32_t y = rect->y + step / 2; y < rect->y + rect->height; y += step)
		count_row((const uint32_t *)(const void *)(pixels + (size_t)y * stride_bytes) +
				  rect->x,
			rect->width, &pairs);
	uint64_t all = pairs.equal + pairs.small + pairs.large;
	if (all == 0)
		return (struct content){ .equal_percent = 100 };
	double changes = (double)(pairs.small + pairs.large) / (double)all;
	return (struct content){
		.equal_percent = (unsigned)(pairs.equal * 100 / all),
		.smooth_percent = (unsigned)(pairs.small * 100 / all),
		.lossless_bytes =
			(uint64_t)((double)rect_area(rect) *
				   (changes * BYTES_PER_CHANGE + (1 - changes) * BYTES_PER_REPEAT)),
	};
}

bool content_is_smooth(const struct content *content)
{
	return content->smooth_percent >= SMOOTH_PERCENT;
}
