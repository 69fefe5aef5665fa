/* SPDX-License-Identifier: MIT */
/*
 * limits of heads: bound what a renderer may send, beside those that both sides know
 * (protocol/frame_link.h). A renderer is driven by the guest and may have been taken over.
 */
#pragma once

#include "protocol/frame_link.h"

/*
 * A row of a buffer may have this many bytes: those of two rows of the widest head, since render
 * may align rows. With it and FRAME_SIZE_MAX every sum of a buffer's layout stays far below 64
 * bits. Past it the buffer is refused and the link dropped.
 */
#define FRAME_STRIDE_MAX (2u * 4u * FRAME_SIZE_MAX)

/*
 * The object behind one buffer may have this many bytes: the largest head with the longest rows
 * takes 2 GiB. Past it the buffer is refused and the link dropped.
 */
#define FRAME_MAP_MAX (4ull << 30)

/*
 * This many messages of one link are handled in one turn of the main loop, so that a busy renderer
 * leaves room for clients' input. What comes beyond waits in the socket for the next turn.
 */
#define MESSAGES_PER_TURN 64

/*
 * This many releases, of 24 bytes each, may wait until the renderer reads them. Frames may come
 * faster than a renderer reads releases for a while, but not for ever. Past it the next frame drops
 * the link.
 */
#define RELEASES_MAX 4096

/*
 * This many frames of a head may wait for their pixels: the one that the GPU draws and the newest.
 * Past it the newest takes the place of the last one that waits, with the whole head as damage.
 */
#define FRAME_QUEUE_MAX 2

/*
 * A head keeps this many rectangles of damage (16 KiB) until they are shown. A frame brings up to
 * FRAME_RECTS_MAX, and frames gather while a client is slow. Past it they are folded into the cells
 * of a coarse grid: the list may then name more than what changed, never less.
 */
#define DAMAGE_RECTS_MAX 1024

/*
 * The desktop that a client's monitors make together is at most so many pixels wide and high, which
 * is what X11 can say. Past it the monitors are put into a row, and past that the wish is left out,
 * with a line in the log.
 */
#define LAYOUT_SIZE_MAX 32767u

/*
 * Of so many of a guest's cursor shapes the hot spot is remembered; a desktop's theme has about
 * that many. Past it the one that was not shown for longest is forgotten, and found out again.
 */
#define HOT_SPOT_SHAPES 32
