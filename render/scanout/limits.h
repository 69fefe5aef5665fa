/* SPDX-License-Identifier: MIT */
/*
 * limits of scanout: bounds on what a guest does with its cursors and on what display says. Display
 * speaks to clients all over the network and may have been taken over. What both sides of the frame
 * link know is in protocol/frame_link.h.
 */
#pragma once

/*
 * Cursor-sized resources whose pixels are copied for the main thread: 16 KiB each. A desktop has
 * some dozens. A cursor past it is shown once the gpu thread has fetched its pixels.
 */
#define CURSOR_SNAPSHOTS_MAX 256

/*
 * Pixels of a head's width or height. Guests' drivers and desktops fail below it. A wish that is
 * smaller counts as this, a larger one than FRAME_SIZE_MAX as that.
 */
#define MODES_SIZE_MIN 320

/* Thousandths of a Hertz of a head's refresh rate. A wish beyond them counts as the nearer one. */
#define MODES_REFRESH_MIN_MHZ 10000
#define MODES_REFRESH_MAX_MHZ 500000

/*
 * Millimetres of a head's width or height: the largest video walls. A wish past it counts as a
 * monitor of unknown size.
 */
#define MODES_SIZE_MAX_MM 10000

/*
 * Messages of display that are read in one turn of the loop, so that the guest's commands are not
 * kept waiting. What comes beyond waits in the socket for the next turn.
 */
#define SCANOUTS_MESSAGES_AT_ONCE 64

/*
 * Messages of display that are read before a guest's question is answered: more than a socket
 * holds, so that all that display had said is among them, but not for ever if it says more
 * meanwhile. What comes beyond waits in the socket for the next turn.
 */
#define SCANOUTS_MESSAGES_HEARD_MAX 1024
