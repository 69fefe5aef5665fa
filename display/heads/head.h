/* SPDX-License-Identifier: MIT */
/*
 * head: stands for one monitor of the guest. It holds its newest frame and what of it was not shown
 * yet.
 *
 * The main loop puts frames in; spice-server's worker thread takes them out (painter.h) whenever
 * its client can take one. A newer frame replaces one that was not taken, and the union of their
 * damage stays. The newest frame is held only while there is damage left to show.
 *
 * A head exists from the start to the end of the process, whether it is on or off.
 *
 * Threads: whoever holds the lock may use the fields below it; nobody holds it while spice-server
 * or frame_unref is called. The other fields are the main loop's alone.
 */
#pragma once

#include <glib.h>

#include "display/heads/damage.h"
#include "display/heads/frame.h"

struct head {
	unsigned number;

	/* Only the main loop uses these. */
	bool on;
	uint32_t x, y;   /* on the desktop */
	uint64_t serial; /* of the last frame */

	/* The lock guards what follows it. */
	GMutex lock;
	uint32_t width, height;
	unsigned mode; /* rises with every head_resize: what was known of the surface is void */
	bool watched;  /* a client looks; while none does the worker keeps nothing */
	struct damage pending;
	struct frame *newest; /* NULL, or what `pending` is to be read from */
	bool blank;           /* show black, then `pending` */
};

struct head *head_create(unsigned number);
void head_destroy(struct head *head);

/* Begins a new mode: what was pending is of the old size and goes. */
void head_resize(struct head *head, uint32_t width, uint32_t height);

/* Takes over the reference. Rectangles may lie outside the head: they are clipped. */
void head_push_frame(
	struct head *head, struct frame *frame, const struct rect *rects, unsigned n_rects);

/* Shows black until the next frame, because the head is off. */
void head_push_blank(struct head *head);

/* Lets go of the renderer's buffers, because it went away. The picture that is shown stays. */
void head_drop_frame(struct head *head);

/* Says whether a client looks at the head. The caller wakes the worker afterwards. */
void head_set_watched(struct head *head, bool watched);
