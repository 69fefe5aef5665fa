/* SPDX-License-Identifier: MIT */
/*
 * screens: brings the heads that render tells of to spice-server.
 *
 * A head is in one of these states:
 *
 *   not open        there is no device in spice-server; head 0 always has one
 *   off             the client sees black on head 0; any other head is in its menu, and no more
 *   on, not shown   the mode is new, and its surface waits for a frame lest it is seen blank
 *   on, shown       the surface has the mode's size
 *
 * A renderer that leaves changes none of this, and the last picture stays.
 *
 * Threads: main loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display/heads/frame.h"
#include "display/spice/spice_gl.h"
#include "display/spice/spice_head.h"

/* Head 0 has this size in pixels before the guest has a mode. */
#define SCREENS_FIRST_WIDTH 1024
#define SCREENS_FIRST_HEIGHT 768

struct RedsState;
struct screens;

/*
 * Opens head 0, since spice-server has no desktop without one. The line (NULL: none) and the ops
 * stay the caller's. Returns NULL when spice-server refuses the head (logged).
 */
struct screens *screens_create(struct RedsState *server, struct line *line,
	spice_head_wanted wanted, const struct spice_gl_ops *gl_ops, void *user);
/* Must be called after the server was destroyed, whose workers read the heads. NULL is fine. */
void screens_destroy(struct screens *screens);

/*
 * The first returns how many heads have a device in spice-server, whether they are on or not; the
 * second, whether one has.
 */
unsigned screens_count(const struct screens *screens);
bool screens_is_open(const struct screens *screens, unsigned head);

/*
 * Turns a head on, or gives it another mode or place, as render says. `looked_at`: a client sees
 * the old mode meanwhile, so the new one may wait for its first frame. Returns false when the head
 * cannot be opened.
 */
bool screens_turn_on(struct screens *screens, const struct frame_head_on *on, bool looked_at);
/*
 * Says how many heads the guest's device has. Clients are offered one more than are on: each costs
 * a thread and every client two connections, so those that come after it are not opened yet.
 */
void screens_offer(struct screens *screens, unsigned n_heads);
/* Turns a head off. Returns whether it was on. */
bool screens_turn_off(struct screens *screens, unsigned head);
bool screens_is_on(const struct screens *screens, unsigned head);

/* Fills in the head's size in pixels. Returns false when it is off. */
bool screens_size(const struct screens *screens, unsigned head, uint32_t *width, uint32_t *height);
/* Turns a pixel of the head into one of the desktop, after bounding it. Returns false when it is
 * off. */
bool screens_to_desktop(const struct screens *screens, unsigned head, int32_t *x, int32_t *y);
/*
 * Fills in the size in pixels of the box around all heads that are on. Returns false when none is.
 */
bool screens_desktop(const struct screens *screens, uint32_t *width, uint32_t *height);

/*
 * Shows a frame of a head that is on, and takes over the reference. Returns false when its serial
 * is not above the last one's (logged): render is to be dropped.
 */
bool screens_show(
	struct screens *screens, struct frame *frame, const struct frame_present *message);
/* The same of a frame that is not render's: its serial counts for nothing. */
void screens_show_own(
	struct screens *screens, struct frame *frame, const struct frame_present *message);
/*
 * Says that dma-bufs are shown from now on, or, as at first, no more. In that case ops->left is
 * called when the last one is gone, at once if there is none.
 */
void screens_use_dmabufs(struct screens *screens, bool use);
/* Shows modes that still wait for a frame without one. */
void screens_settle(struct screens *screens);
/* Lets go of all frames, since the renderer has left. The next one's serials begin anew. */
void screens_drop_frames(struct screens *screens);

/*
 * These do what spice_cursor.h says of its functions. Each returns true when the cursor changed; a
 * head that was never on has none.
 */
bool screens_cursor_image(struct screens *screens, unsigned head, const uint32_t *pixels,
	uint32_t hot_x, uint32_t hot_y);
bool screens_cursor_hot_spot(
	struct screens *screens, unsigned head, uint32_t hot_x, uint32_t hot_y);
bool screens_cursor_move(struct screens *screens, unsigned head, int32_t x, int32_t y);
bool screens_cursor_hide(struct screens *screens, unsigned head);
/* Says that a client has opened the cursor channel of a head. */
void screens_new_viewer(struct screens *screens, unsigned head);
/* Says that a client is opening the display channel of a head. */
void screens_new_display(struct screens *screens, unsigned head);

/*
 * Must be called before a client opens the display channel of a head. spice-server begins with the
 * whole surface in one lossless message, which takes seconds on a slow line. So for a client far
 * away (LINE_FAR_US) the surface is made anew, empty. Then this returns true, and the owner asks
 * render for the whole picture, which goes out in pieces. Heads that show a dma-buf are left alone.
 */
bool screens_start_over(struct screens *screens, unsigned head);
/* Forgets what is shown, since nobody looks: who comes next is not shown what was. */
void screens_forget(struct screens *screens, unsigned head);

/* Says whether somebody looks at a head. */
void screens_set_watched(struct screens *screens, unsigned head, bool watched);
