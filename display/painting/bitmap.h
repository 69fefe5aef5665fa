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
#define PICTURE_SOURCES_MAX (FRAME_LOCKED_MAX - 1)
#define PICTURE_COPIES_MAX 400
/* Heap of one head's copies: three frames of it, within these. */
#define PICTURE_HEAP_MIN (16u << 20)
#define PICTURE_HEAP_MAX (64u << 20)

enum picture_result {
	PICTURE_NONE,    /* nothing to show */
	PICTURE_TAKEN,   /* *picture is the caller's */
	PICTURE_BLOCKED, /* damage is left, but pictures must be released first */
	PICTURE_STARVED, /* as BLOCKED, and what is held will not be released by itself */
};

/* What the pictures of one head hold at spice-server's. */
struct picture_store {
	uint32_t width, height; /* of the head */
	unsigned sources;       /* render's buffers, each counted once */
	unsigned copies;        /* pictures that hold heap */
	size_t heap_bytes;      /* by copies */
	bool starved;           /* a bound was met since the last release */
};

/* A frame that several pictures show parts of; counted in its store while referenced. */
struct picture_source {
	struct frame *frame;
	unsigned refs;
	struct picture_store *store;
};

/* Takes over the reference to the frame. The caller has seen to PICTURE_SOURCES_MAX. */
struct picture_source *picture_source_create(struct picture_store *store, struct frame *frame);
struct picture_source *picture_source_ref(struct picture_source *source);
void picture_source_unref(struct picture_source *source);

enum picture_kind {
	PICTURE_PIXELS,
	PICTURE_BLACK,
	PICTURE_SCROLL, /* rect is to show what is shown at from_x, from_y */
};

struct picture {
	enum picture_kind kind;
	struct frame_rect rect;
	bool moving;              /* may become video */
	uint64_t estimated_bytes; /* on the wire */
	uint32_t from_x, from_y;
	const uint8_t *pixels;
	uint32_t stride_bytes;
	struct picture_store *store;
	/* one of; neither when it has no pixels */
	struct picture_source *source;
	uint8_t *copy;
	size_t copy_bytes;
};

/* Most pixels of one copy. */
uint64_t picture_copy_pixels_max(const struct picture_store *store);

/*
 * A copy of `rect` of the source, of at most picture_copy_pixels_max. TAKEN, or BLOCKED or STARVED
 * when there is no room; STARVED only once between two releases.
 */
enum picture_result picture_copy(
	struct picture *picture, struct picture_source *source, const struct frame_rect *rect);

/* True when `rect` can be shown where it lies: all bytes that its rows span are mapped. */
bool picture_can_point(const struct picture_source *source, const struct frame_rect *rect);
void picture_point(
	struct picture *picture, struct picture_source *source, const struct frame_rect *rect);

void picture_release(struct picture *picture);
