/* SPDX-License-Identifier: MIT */
/*
 * strips: knows what clients are shown of a head well enough to say what of a new picture differs.
 *
 * What a guest flushes is an upper bound: compositors flush whole screens. So the flushed area is
 * compared with what was last sent, in strips of STRIPS_STRIP pixels of one row, by their 64-bit
 * hashes (XXH3 with a secret of this process). Hashes take less memory than a copy of the picture
 * (at 1080p 1 MB for a head instead of 8), need one picture read instead of two, and say at no
 * further cost where a row came from when it was scrolled (scroll.h). They are as fast as memory
 * is: tests/bench/bench_tiles.c.
 *
 * Strips that differ are gathered into tiles of STRIPS_STRIP x STRIPS_ROWS pixels, each with its
 * first and last row, and those are merged to few rectangles.
 *
 * Where little changed, as where somebody types, the pixels themselves are kept for a while (at
 * most 66 KB a head). Where pixels are kept the next change is known to the pixel column, elsewhere
 * to the strip. A kept row counts only while its hash is that of what is shown, so it never has to
 * be thrown away.
 *
 * Threads: none of its own; the worker thread of the head.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/frame_link.h"

#define STRIPS_STRIP 32u
#define STRIPS_ROWS 16u
/* Rectangles are merged if that adds no more unchanged pixels than this: they cost less than a
 * rectangle does by itself, about 130 bytes and 15 µs. */
#define STRIPS_WASTE_PIXELS 1024u
/* No strip has this hash. It says that what clients are shown there is not known. */
#define STRIPS_UNKNOWN 0u

/* When more strips changed than these (a few lines of text) no pixels are kept. */
#define STRIPS_KEPT_STRIPS_MAX 128u
#define STRIPS_KEPT_MAX 32u

/*
 * Says which rows [top, bottom) and columns [left, right) of a tile differ; bottom is 0 when none
 * do.
 */
struct tile {
	uint8_t top, bottom;
	uint8_t left, right;
};

struct strips_kept {
	uint32_t tile; /* its index */
	bool used;
	uint64_t hashes[STRIPS_ROWS];
	uint32_t pixels[STRIPS_ROWS * STRIPS_STRIP];
};

struct strips {
	uint32_t width, height;
	uint32_t columns, bands;
	/*
	 * These are hashes of what is shown and of the new picture: columns * height, row by row.
	 * They are equal but for the tiles that have changed.
	 */
	uint64_t *shown, *fresh;
	struct tile *changed; /* columns * bands */
	bool *band_changed;   /* bands */
	uint64_t n_changed;   /* strips */
	/* This is the picture that is looked at; NULL: none was since the last strips_take. */
	const uint8_t *pixels;
	uint32_t stride_bytes;
	struct strips_kept *kept; /* STRIPS_KEPT_MAX */
	uint8_t *kept_at;         /* columns * bands: 1 + index of a tile's; 0: none */
	unsigned next_kept;       /* the oldest */
};

/* The new strips take it that nothing is known. Sides are the head's, bounded by FRAME_SIZE_MAX. */
struct strips *strips_create(uint32_t width, uint32_t height);
void strips_destroy(struct strips *strips);

/* Makes the rectangle wider, so that it has whole strips. */
struct rect strips_widen(const struct strips *strips, const struct rect *rect);

/*
 * Notes what differs inside `rect`. `pixels` is the picture's upper left corner. Of a strip that
 * `rect` cuts only the part inside is looked at, and its hash is another one than the whole
 * strip's: so use strips_widen first, unless what is cut off is a video area. Until strips_take no
 * other picture must be looked at, and all of this one must stay as it is.
 */
void strips_look(struct strips *strips, const uint8_t *pixels, uint32_t stride_bytes,
	const struct rect *rect);

/*
 * Says that what is shown in these whole strips is not known any more: the next look finds them
 * different.
 */
void strips_forget(struct strips *strips, const struct rect *rect);

/*
 * Both are for scroll.c: the first says that one whole strip differs, the second that nothing in
 * the rectangle does.
 */
void strips_mark(struct strips *strips, uint32_t column, uint32_t row);
void strips_clear(struct strips *strips, const struct rect *rect);

/*
 * Takes it that what differs is shown from now on. Writes rectangles that hold all of it, at most
 * n_max (at least 1), merged the more the less room there is; returns how many.
 */
unsigned strips_take(struct strips *strips, struct rect *rects, unsigned n_max);

/* It is 2^64 divided by the golden ratio, odd: multiplying by it mixes the bits of a hash. */
#define STRIPS_MIX 0x9e3779b97f4a7c15u

/* Returns the hash of a strip, also for others who compare pixels. It is never STRIPS_UNKNOWN. */
uint64_t strips_hash(const uint8_t *pixels, size_t size_bytes);
