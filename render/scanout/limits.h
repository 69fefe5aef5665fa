/* SPDX-License-Identifier: MIT */
/*
 * limits of scanout: bounds what a guest does with its cursors, and what display says. Display
 * speaks to clients all over the network and may have been taken over. The bounds that both sides
 * of the frame link know are in protocol/frame_link.h.
 */
#pragma once

/*
 * The pixels of at most this many cursor-sized resources are copied for the main thread, 16 KiB
 * each. A desktop has some dozens. A cursor past it is shown once the gpu thread has fetched its
 * pixels.
 */
#define CURSOR_SNAPSHOTS_MAX 256

/*
 * A head is at least this many pixels wide and high, since Linux's virtio_gpu drives nothing
 * smaller (XRES_MIN). A wish that is smaller counts as this, and one larger than FRAME_SIZE_MAX as
 * that.
 */
#define MODES_SIZE_MIN 32

/*
 * A head's refresh rate lies between these, in thousandths of a Hertz. A wish beyond them counts as
 * the nearer one.
 */
#define MODES_REFRESH_MIN_MHZ 10000
#define MODES_REFRESH_MAX_MHZ 500000

/*
 * A head is at most this many millimetres wide or high, as the largest video walls are. A wish past
 * it counts as a monitor of unknown size.
 */
#define MODES_SIZE_MAX_MM 10000

/*
 * At most this many messages of display are read in one turn of the loop, so that the guest's
 * commands are not kept waiting. What comes beyond waits in the socket for the next turn.
 */
#define SCANOUTS_MESSAGES_AT_ONCE 64

/*
 * At most this many messages of display are read before a guest's question is answered. That is
 * more than a socket holds, so that all that display had said is among them, but it does not go on
 * for ever if display says more meanwhile. What comes beyond waits in the socket for the next turn.
 */
#define SCANOUTS_MESSAGES_HEARD_MAX 1024
