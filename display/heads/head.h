/* SPDX-License-Identifier: MIT */
/*
 * head: one monitor of the guest: its newest frame and what of it was not shown yet.
 *
 * The main loop puts frames in; spice-server's worker thread takes them out (painter.h) whenever
 * its client can take one. A newer frame replaces one that was not taken, and the union of their
 * damage stays. The newest frame is held only while there is damage left to show.
 *
 * A head exists from the start to the end of the process, whether it is on or off.
 *
 * Threads: whoever holds the lock may use the fields "under lock"; nobody holds it while
 * spice-server or frame_unref is called. The other fields are the main loop's alone.
 */
#pragma once

#include <glib.h>

#include "display/heads/damage.h"
#include "display/heads/frame.h"

struct head {
	unsigned number;

	/* main loop */
	bool on;
	uint32_t x, y;   /* on the desktop */
	uint64_t serial; /* of the last frame */

	/* under lock */
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

/* A new mode: what was pending is of the old size and goes. */
void head_resize(struct head *head, uint32_t width, uint32_t height);

/* Takes over the reference. Rectangles may lie outside: they are clipped. */
void head_push_frame(
	struct head *head, struct frame *frame, const struct rect *rects, unsigned n_rects);

/* The head is off: it shows black until the next frame. */
void head_push_blank(struct head *head);

/* The renderer went away: its buffers are let go of, the picture shown stays. */
void head_drop_frame(struct head *head);

/* A client looks at the head, or none does any more: wake the worker then. */
void head_set_watched(struct head *head, bool watched);
