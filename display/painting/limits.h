/* SPDX-License-Identifier: MIT */
/*
 * limits of painting: bounds on what spice-server may hold of one head, and clients in their
 * caches. How much that is depends on clients, which may read slowly or not at all, and on what a
 * guest draws.
 */
#pragma once

#include "protocol/frame_link.h"

/*
 * Render's buffers that bitmaps hold. With the newest frame, which waits in the head, they are the
 * FRAME_LOCKED_MAX that render lends. Past it no newer frame is taken until a buffer comes back.
 */
#define BITMAP_SOURCES_MAX (FRAME_LOCKED_MAX - 1)

/*
 * Copies that bitmaps hold, since each drawable costs spice-server some hundred bytes more. Past
 * it no copy is made until one comes back, and spice-server is asked once to draw its oldest
 * drawables.
 */
#define BITMAP_COPIES_MAX 400

/*
 * Bytes of one head's copies: three frames of it, but no less and no more than these. Past it as
 * with BITMAP_COPIES_MAX.
 */
#define BITMAP_HEAP_MIN (16u << 20)
#define BITMAP_HEAP_MAX (64u << 20)

/*
 * Bitmaps of one head that have a number by which clients cache them. spice-server keeps about 80
 * bytes of each and frees none before its client leaves. Past it a bitmap that is not known is sent
 * without a number.
 */
#define IMAGE_IDS_MAX 8192u

/* Pixels of a bitmap with a number, since clients keep them all. A larger one is sent without. */
#define IMAGE_IDS_PIXELS_MAX 1024u

/*
 * Heads whose bitmaps have numbers: spice-server ends the process at a cached bitmap of a higher
 * channel (MAX_CACHE_CLIENTS in its pixmap-cache.h). Those of other heads are sent without.
 */
#define IMAGE_IDS_HEADS 4u
