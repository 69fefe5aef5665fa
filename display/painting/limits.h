/* SPDX-License-Identifier: MIT */
/*
 * limits of painting: bound what spice-server may hold of one head, and clients in their caches.
 * How much that is depends on clients, which may read slowly or not at all, and on what a guest
 * draws.
 */
#pragma once

#include "protocol/frame_link.h"

/*
 * Bitmaps hold at most this many of render's buffers. With the newest frame, which waits in the
 * head, they are the FRAME_LOCKED_MAX that render lends. Past it no newer frame is taken until a
 * buffer comes back.
 */
#define BITMAP_SOURCES_MAX (FRAME_LOCKED_MAX - 1)

/*
 * Bitmaps hold at most this many copies, since each drawable costs spice-server some hundred bytes
 * more. Past it no copy is made until one comes back, and spice-server is asked once to draw its
 * oldest drawables.
 */
#define BITMAP_COPIES_MAX 400

/*
 * One head's copies have the bytes of three frames of it, but no less and no more than these. Past
 * it the same happens as with BITMAP_COPIES_MAX.
 */
#define BITMAP_HEAP_MIN (16u << 20)
#define BITMAP_HEAP_MAX (64u << 20)

/*
 * This many bitmaps of one head have a number by which clients cache them. spice-server keeps about
 * 80 bytes of each and frees none before its client leaves. Past it a bitmap that is not known is
 * sent without a number.
 */
#define IMAGE_IDS_MAX 8192u

/*
 * A bitmap with a number has at most this many pixels, since clients keep them all. A larger one is
 * sent without.
 */
#define IMAGE_IDS_PIXELS_MAX 1024u

/*
 * Only this many heads give their bitmaps numbers: spice-server ends the process at a cached bitmap
 * of a higher channel (MAX_CACHE_CLIENTS in its pixmap-cache.h). Those of other heads are sent
 * without.
 */
#define IMAGE_IDS_HEADS 4u
