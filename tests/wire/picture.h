/* SPDX-License-Identifier: MIT */
/*
 * picture: compares pixels, and makes patterns in which every pixel changes from frame to frame.
 *
 * WIRE_NO_PIXELS in the environment leaves all comparing out: the renderer's GPU is a faked one
 * that draws nothing (tests/shim).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Returns false where there is nothing to compare. */
bool picture_is_drawn(void);

/*
 * Compares width * height pixels under `mask`. When they differ and `what` is not NULL, writes to
 * stderr how many do and which is the first.
 */
bool picture_equal(const char *what, const uint32_t *got, const uint32_t *expected, uint32_t width,
	uint32_t height, uint32_t mask);

/*
 * Holds frames for measuring throughput: row y of frame n shows row template y % 8 of pattern n %
 * 4, so that a checker reads each pixel once. The first pixels of the first, the middle and the
 * last row carry n.
 */
#define PICTURE_PATTERNS 4
#define PICTURE_TEMPLATES 8
#define PICTURE_STAMP_PIXELS 2

struct picture_pattern {
	uint32_t width, height;
	uint32_t *templates; /* [PATTERNS][TEMPLATES][width] */
};

void picture_pattern_init(struct picture_pattern *pattern, uint32_t width, uint32_t height);
void picture_pattern_finish(struct picture_pattern *pattern);
const uint32_t *picture_pattern_row(
	const struct picture_pattern *pattern, uint32_t number, uint32_t row);
/* Writes the number n into the stamp's pixels, with alpha set. */
void picture_stamp(uint32_t number, uint32_t pixels[PICTURE_STAMP_PIXELS]);
/* Returns the index-th of the rows that carry a stamp. */
uint32_t picture_stamp_row(uint32_t height, unsigned index);
/*
 * Reads the number and compares the colours of every pixel. Returns false when something is wrong.
 */
bool picture_pattern_check(const struct picture_pattern *pattern, const uint8_t *pixels,
	size_t stride_bytes, uint32_t *number);
