/* SPDX-License-Identifier: MIT */
/*
 * content: is this part of a picture drawn (text, lines, areas of one colour) or is it a
 * photograph, a film, something shaded? And how large will it be when it is sent without loss?
 *
 * Looks at neighbouring pixels of some rows: in what is drawn most are equal and the rest differ
 * much; in what is shaded most differ a little.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/frame_link.h"

struct content {
	unsigned equal_percent;  /* pixels like their left neighbour */
	unsigned smooth_percent; /* pixels that differ from it a little */
	/* What LZ4 would make of it, roughly: within a factor of 2 for text, film and noise. */
	uint64_t lossless_bytes;
};

/* At most CONTENT_ROWS rows are read. `pixels` is the head's upper left corner. */
#define CONTENT_ROWS 24u
struct content content_look(const uint8_t *pixels, uint32_t stride_bytes, const struct rect *rect);

/* Shaded: video is made for it. */
bool content_is_smooth(const struct content *content);
