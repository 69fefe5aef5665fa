/* SPDX-License-Identifier: MIT */
/*
 * bitmap: holds the pixels of one drawable, and knows who keeps them while spice-server holds it.
 *
 * spice-server holds a drawable until others cover it, which may be never. So the pixels of a small
 * one are copied into display's own heap. Those of the whole head and of video areas stay in
 * render's buffer, since the next such drawable covers them. Buffers and copies are counted in a
 * store. At its bounds (display/painting/limits.h) nothing is made until spice-server gives
 * something back; it does when it is asked to draw what it holds into its surface.
 *
 * Threads: none of its own; spice-server's worker thread of the head makes and releases them.
 */
#pragma once

#include "display/heads/frame.h"
#include "display/painting/limits.h"

enum bitmap_result {
	BITMAP_NONE,    /* nothing to show */
	BITMAP_TAKEN,   /* *bitmap is the caller's */
	BITMAP_BLOCKED, /* damage is left, but bitmaps must be released first */
	BITMAP_STARVED, /* as BLOCKED, and what is held will not be released by itself */
};

/* A store counts what spice-server holds of one head. */
struct bitmap_store {
	uint32_t width, height; /* of the head */
	unsigned sources;       /* render's buffers, each counted once */
	unsigned copies;        /* bitmaps in the heap */
	size_t heap_bytes;      /* their bytes */
	bool starved;           /* a bound was met since the last release */
};

/*
 * A source is a frame of which several bitmaps show parts. Its store counts it while it is
 * referenced.
 */
struct bitmap_source {
	struct frame *frame;
	unsigned refs;
	struct bitmap_store *store;
};

/* Takes over the reference to the frame. The store must have less than BITMAP_SOURCES_MAX. */
struct bitmap_source *bitmap_source_create(struct bitmap_store *store, struct frame *frame);
void bitmap_source_unref(struct bitmap_source *source);

enum bitmap_kind {
	BITMAP_PIXELS,
	BITMAP_BLACK,
	BITMAP_SCROLL, /* `rect` is to show what is shown at from_x, from_y */
};

struct bitmap {
	enum bitmap_kind kind;
	struct rect rect;
	bool moving;              /* a frame of a video area */
	uint64_t estimated_bytes; /* on the wire */
	uint32_t from_x, from_y;
	const uint8_t *pixels;
	uint32_t stride_bytes;
	struct bitmap_store *store;
	/* One of the two keeps the pixels, or neither does when there are none. */
	struct bitmap_source *source;
	uint8_t *copy;
	size_t copy_bytes;
};

/*
 * Returns how many pixels one copy may have: a quarter of the heap, so that several can be on their
 * way.
 */
uint64_t bitmap_copy_pixels_max(const struct bitmap_store *store);

/*
 * Copies `rect` of the source, at most bitmap_copy_pixels_max or one row. Answers TAKEN, or
 * BLOCKED or STARVED when there is no room; STARVED only once between two releases.
 */
enum bitmap_result bitmap_copy(
	struct bitmap *bitmap, struct bitmap_source *source, const struct rect *rect);

/*
 * Says whether `rect` can be shown where it lies: all bytes from its first row to the end of its
 * last row's stride are mapped.
 */
bool bitmap_can_point(const struct bitmap_source *source, const struct rect *rect);
void bitmap_point(struct bitmap *bitmap, struct bitmap_source *source, const struct rect *rect);

void bitmap_release(struct bitmap *bitmap);
