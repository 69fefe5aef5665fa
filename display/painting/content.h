/* SPDX-License-Identifier: MIT */
/*
 * content: tells whether a part of a picture is drawn (text, lines, areas of one colour) or shaded
 * (a photograph, a film), and how large it will be when it is sent without loss.
 *
 * It looks at neighbouring pixels of some rows. In what is drawn most of them are equal and the
 * others differ much; in what is shaded most differ a little.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/frame_link.h"

/* It says where the pixels of a head's picture are. */
struct pixel_rows {
	const uint8_t *bytes; /* the upper left corner, XRGB8888 */
	uint32_t stride_bytes;
};

struct content {
	unsigned equal_percent;  /* pixels like their left neighbour */
	unsigned smooth_percent; /* pixels that differ a little from their left neighbour */
	/*
	 * LZ4 would make this many bytes of it: right within a factor of 2 for text, film and
	 * noise.
	 */
	uint64_t lossless_bytes;
};

/* Reads at most CONTENT_ROWS rows. `pixels` is the head's upper left corner. */
#define CONTENT_ROWS 24u
struct content content_look(const uint8_t *pixels, uint32_t stride_bytes, const struct rect *rect);

/* Says whether the content is shaded. */
bool content_is_smooth(const struct content *content);
