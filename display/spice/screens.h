/* SPDX-License-Identifier: MIT */
/*
 * screens: the heads as render tells of them and as spice-server shows them.
 *
 * States of one: never on (no device in spice-server, but for the first); off (black; others than
 * the first are unplugged); on with a mode that is not shown yet (the new surface waits for its
 * first frame, so that a client sees no blank one); on and shown. A renderer that leaves changes
 * none of this: its last picture stays.
 *
 * Threads: main loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display/heads/frame.h"
#include "display/spice/spice_gl.h"
#include "display/spice/spice_head.h"

/* Shown before the guest has a mode. */
#define SCREENS_FIRST_WIDTH 1024
#define SCREENS_FIRST_HEIGHT 768

struct RedsState;
struct screens;

/* With the first head, as spice-server has no desktop without; NULL when it is refused. */
struct screens *screens_create(struct RedsState *server, struct line *line,
	spice_head_wanted wanted, const struct spice_gl_ops *gl_ops, void *user);
/* After the server was destroyed. */
void screens_destroy(struct screens *screens);

/* Heads that spice-server has devices for, whether they are on or not. */
unsigned screens_count(const struct screens *screens);
bool screens_is_open(const struct screens *screens, unsigned head);

/* False: render is to be dropped. looked_at: the new mode may wait for its first frame. */
bool screens_turn_on(struct screens *screens, const struct frame_head_on *on, bool looked_at);
/* Returns whether anything changed. */
bool screens_turn_off(struct screens *screens, unsigned head);
bool screens_is_on(const struct screens *screens, unsigned head);

/* False when it is off. */
bool screens_size(const struct screens *screens, unsigned head, uint32_t *width, uint32_t *height);
/* From a pixel of the head to one of the desktop. False when it is off. */
bool screens_to_desktop(const struct screens *screens, unsigned head, int32_t *x, int32_t *y);
/* The bounding box of all that are on; false when none is. */
bool screens_desktop(const struct screens *screens, uint32_t *width, uint32_t *height);

/* `frame` is the callee's. False: render is to be dropped. */
bool screens_show(
	struct screens *screens, struct frame *frame, const struct frame_present *message);
/*
 * From now on dma-bufs are shown, or (the beginning) no more: then ops->left, as in spice_gl.h,
 * when the last is gone, at once if there is none.
 */
void screens_use_dmabufs(struct screens *screens, bool use);
/* Modes that still wait for a frame are shown without. */
void screens_settle(struct screens *screens);
/* The renderer has left. */
void screens_drop_frames(struct screens *screens);

/* As in spice_cursor.h; true when the cursor changed. A head that never was on has none. */
bool screens_cursor_image(struct screens *screens, const struct frame_cursor_image *image);
bool screens_cursor_move(struct screens *screens, unsigned head, int32_t x, int32_t y);
bool screens_cursor_hide(struct screens *screens, unsigned head);
/* A client has opened the cursor channel of a head. */
void screens_new_viewer(struct screens *screens, unsigned head);
/* A client is opening the display channel of a head. */
void screens_new_display(struct screens *screens, unsigned head);

/*
 * Before a client opens the display channel of a head. spice-server begins with all of its surface
 * in one message without loss, for seconds where the line is slow: then the surface is made anew,
 * and true says that the head's whole picture is to be asked for, which comes in pieces. Not with
 * dma-bufs.
 */
bool screens_start_over(struct screens *screens, unsigned head);

/* Somebody looks at a head, or nobody does any more. */
void screens_set_watched(struct screens *screens, unsigned head, bool watched);
