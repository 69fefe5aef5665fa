/* SPDX-License-Identifier: MIT */
/*
 * picture: one drawable's worth of pixels, made from a head's pending damage when spice-server asks.
 *
 * Damage that covers most of a head becomes one picture of all of it, which points into render's
 * buffer: the next such picture covers it, so at most PICTURE_WHOLE_MAX are held. Everything smaller
 * is copied into display's own heap, because a small drawable pins its pixels until something covers
 * it, which may be never. The copies are bounded in bytes and number; at the bound the damage stays
 * in the head (growing no list without limit, see damage.h) until spice-server gives something back:
 * it is asked to, by drawing what it holds into its own surface.
 *
 * Threads: made and released on spice-server's worker thread of this head.
 */
#pragma once

#include "display/head.h"

/* With the newest frame that waits: FRAME_LOCKED_MAX. */
#define PICTURE_WHOLE_MAX (FRAME_LOCKED_MAX - 1)
#define PICTURE_COPIES_MAX 400
/* Heap of one head's copies: three frames of it, within these. */
#define PICTURE_HEAP_MIN (16u << 20)
#define PICTURE_HEAP_MAX (64u << 20)
/* Share of a head, in percent, from which all of it is sent. */
#define PICTURE_WHOLE_PERCENT 70

enum picture_result {
	PICTURE_NONE,    /* nothing to show */
	PICTURE_TAKEN,   /* *picture is the caller's */
	PICTURE_BLOCKED, /* damage is left, but pictures must be released first */
	PICTURE_STARVED, /* as BLOCKED, and what is held will not be released by itself */
};

struct picture {
	struct head *head;
	struct frame_rect rect;
	const uint8_t *pixels; /* NULL: black */
	uint32_t stride_bytes;
	/* one of */
	struct frame *frame;
	uint8_t *copy;
	size_t copy_bytes;
};

/* Answers STARVED only once between two releases. */
enum picture_result picture_take(struct head *head, struct picture *picture);

/* Returns true when the head has damage that waited for this release. */
bool picture_release(struct picture *picture);
