/* SPDX-License-Identifier: MIT */
/*
 * spice gl: shows one head by handing clients render's dma-buf itself (spice-server's GL scanout).
 *
 * This is only for clients on a unix socket that said they take dma-bufs: at every call below that
 * reaches it, spice-server 0.15 disconnects all others. door/dmabuf_door.h decides when. A draw is
 * under way until the client has acknowledged it, and until then spice-server takes no other: a
 * newer frame waits here, and the next replaces it. A frame is held until the client has
 * acknowledged its successor.
 *
 * Threads: main loop, but for spice_gl_completed().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display/heads/frame.h"

/* A client may take this many milliseconds to acknowledge a draw. Past it, `stalled` is called. */
#define SPICE_GL_TIMEOUT_MS 1000

/*
 * Clients can import these: the SPICE protocol names a format but no modifier, so the layout must
 * be one that the driver finds out by itself, or linear.
 */
#define SPICE_GL_FORMATS 12
extern const struct frame_format spice_gl_formats[SPICE_GL_FORMATS];

struct QXLInstance;
struct spice_gl;

struct spice_gl_ops {
	/*
	 * Says that the client has not acknowledged a draw in time. It is called once for each
	 * draw.
	 */
	void (*stalled)(void *user);
	/* Says, after spice_gl_leave(), that no dma-buf is shown any more. */
	void (*left)(void *user);
};

/*
 * `instance` is the head's device and must outlive this. Nothing may be shown before the ops are
 * set.
 */
struct spice_gl *spice_gl_create(struct QXLInstance *instance);
void spice_gl_destroy(struct spice_gl *gl);
void spice_gl_set_ops(struct spice_gl *gl, const struct spice_gl_ops *ops, void *user);

/* Takes over the reference to the frame, which is a dma-buf of the head's size. */
void spice_gl_show(struct spice_gl *gl, struct frame *frame, const struct frame_present *message);
/* Draws the picture again for a client that is opening the display and has not seen it. */
void spice_gl_new_viewer(struct spice_gl *gl);
/*
 * Lets go of what waits, and of the rest when the draw under way is acknowledged. What the client
 * sees stays until a new primary surface or another scanout takes its place. Answers with `left`,
 * also at once; nothing happens where no dma-buf is shown.
 */
void spice_gl_leave(struct spice_gl *gl);
/* Returns true from the first frame that was shown until `left`. */
bool spice_gl_is_on(const struct spice_gl *gl);

/*
 * Says that spice-server has done what the cookie stands for. Any thread may call it. Returns false
 * unless it is a draw.
 */
bool spice_gl_completed(struct spice_gl *gl, uint64_t cookie);
