/* SPDX-License-Identifier: MIT */
/*
 * picture: one drawable's worth of pixels, and the bounds on what spice-server may hold of them.
 *
 * Pixels either lie in render's buffer (a picture of the whole head, or of a region that keeps
 * moving: the next such picture covers it) or were copied into display's own heap, because a small
 * drawable pins its pixels until something covers it, which may be never. Buffers and copies are
 * counted in a store; at its bounds nothing is made until spice-server gives something back: it is
 * asked to, by drawing what it holds into its own surface.
 *
 * Threads: made and released on spice-server's worker thread of this head.
 */
#pragma once

#include "display/heads/frame.h"

/* Render's buffers that pictures hold. With the newest frame that waits: FRAME_LOCKED_MAX. */
#define BITMAP_SOURCES_MAX (FRAME_LOCKED_MAX - 1)
#define BITMAP_COPIES_MAX 400
/* Heap of one head's copies: three frames of it, within these. */
#define BITMAP_HEAP_MIN (16u << 20)
#define BITMAP_HEAP_MAX (64u << 20)

enum bitmap_result {
	BITMAP_NONE,    /* nothing to show */
	BITMAP_TAKEN,   /* *picture is the caller's */
	BITMAP_BLOCKED, /* damage is left, but pictures must be released first */
	BITMAP_STARVED, /* as BLOCKED, and what is held will not be released by itself */
};

/* What the pictures of one head hold at spice-server's. */
struct bitmap_store {
	uint32_t width, height; /* of the head */
	unsigned sources;       /* render's buffers, each counted once */
	unsigned copies;        /* pictures that hold heap */
	size_t heap_bytes;      /* by copies */
	bool starved;           /* a bound was met since the last release */
};

/* A frame that several pictures show parts of; counted in its store while referenced. */
struct bitmap_source {
	struct frame *frame;
	unsigned refs;
	struct bitmap_store *store;
};

/* Takes over the reference to the frame. The caller has seen to BITMAP_SOURCES_MAX. */
struct bitmap_source *bitmap_source_create(struct bitmap_store *store, struct frame *frame);
struct bitmap_source *bitmap_source_ref(struct bitmap_source *source);
void bitmap_source_unref(struct bitmap_source *source);

enum bitmap_kind {
	BITMAP_PIXELS,
	BITMAP_BLACK,
	BITMAP_SCROLL, /* rect is to show what is shown at from_x, from_y */
};

struct bitmap {
	enum bitmap_kind kind;
	struct rect rect;
	bool moving;              /* may become video */
	uint64_t estimated_bytes; /* on the wire */
	uint32_t from_x, from_y;
	const uint8_t *pixels;
	uint32_t stride_bytes;
	struct bitmap_store *store;
	/* one of; neither when it has no pixels */
	struct bitmap_source *source;
	uint8_t *copy;
	size_t copy_bytes;
};

/* Most pixels of one copy. */
uint64_t bitmap_copy_pixels_max(const struct bitmap_store *store);

/*
 * A copy of `rect` of the source, of at most bitmap_copy_pixels_max. TAKEN, or BLOCKED or STARVED
 * when there is no room; STARVED only once between two releases.
 */
enum bitmap_result bitmap_copy(
	struct bitmap *bitmap, struct bitmap_source *source, const struct rect *rect);

/* True when `rect` can be shown where it lies: all bytes that its rows span are mapped. */
bool bitmap_can_point(const struct bitmap_source *source, const struct rect *rect);
void bitmap_point(struct bitmap *bitmap, struct bitmap_source *source, const struct rect *rect);

void bitmap_release(struct bitmap *bitmap);
