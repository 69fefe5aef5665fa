/* SPDX-License-Identifier: MIT */
/*
 * limits of heads: bounds on what a renderer may send, beside those that both sides know
 * (protocol/frame_link.h). A renderer is driven by the guest and may have been taken over.
 */
#pragma once

#include "protocol/frame_link.h"

/*
 * Bytes of a row: two rows of the widest head, since render may align rows. With it and
 * FRAME_SIZE_MAX every sum of a buffer's layout stays far below 64 bits. Past it the buffer is
 * refused and the link dropped.
 */
#define FRAME_STRIDE_MAX (2u * 4u * FRAME_SIZE_MAX)

/*
 * Bytes of the object behind one buffer: the largest head with the longest rows takes 2 GiB. Past
 * it the buffer is refused and the link dropped.
 */
#define FRAME_MAP_MAX (4ull << 30)

/*
 * Messages of one link that are handled in one turn of the main loop, so that a busy renderer
 * leaves room for clients' input. What comes beyond waits in the socket for the next turn.
 */
#define MESSAGES_PER_TURN 64

/*
 * Releases that wait until the renderer reads them: 24 bytes each. Frames may come faster than a
 * renderer reads releases for a while, but not for ever. Past it the next frame drops the link.
 */
#define RELEASES_MAX 4096

/*
 * Frames of a head that wait for their pixels: the one that the GPU draws and the newest. Past it
 * the newest takes the place of the last one that waits, with the whole head as damage.
 */
#define FRAME_QUEUE_MAX 2

/*
 * Rectangles of damage that a head keeps until they are shown: 16 KiB. A frame brings up to
 * FRAME_RECTS_MAX, and frames gather while a client is slow. Past it they are folded into the cells
 * of a coarse grid: the list may then name more than what changed, never less.
 */
#define DAMAGE_RECTS_MAX 1024
