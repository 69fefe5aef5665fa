/* SPDX-License-Identifier: MIT */
/*
 * scanouts: keeps what the guest's heads show, and gets it to display.
 *
 * A head (scanout.c) shows part of a resource. A flush only adds damage; frames are made from
 * damage when display can take one. A 2D resource's own picture is lent to display as it is. Of a
 * 3D resource the damaged part is copied from its texture into a picture that belongs to the head;
 * guests that flip between textures share that one. The picture lies in GPU memory where display
 * takes that, else in CPU memory; while the GPU is still copying for the CPU, the frame is pending:
 * one for each head, so that the guest draws the next meanwhile.
 *
 * This room owns the heads, their modes, the cursor, the slots of pacing and render's end of the
 * frame link; nobody else changes them. It listens to objects and lets go of a resource that is
 * going. Only the gpu thread calls it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/frame_link.h"
#include "render/scanout/modes.h"

struct buffer_interface;
struct cursor;
struct objects;
struct resource;
struct scanouts;

/*
 * Makes the heads, all of them off. `no_pacing` lets guests outrun them. Listens to `objects`,
 * which must live longer.
 */
struct scanouts *scanouts_create(struct objects *objects, bool no_pacing);
void scanouts_destroy(struct scanouts *scanouts);
/*
 * Is called when GL works, and says how pictures that the CPU reads are filled, and whether there
 * are GPU buffers too.
 */
void scanouts_use_gl(
	struct scanouts *scanouts, const struct buffer_interface *cpu_buffers, bool gpu_buffers);

/* ---- heads (scanout.c) ---- */

/* Both return a VIRTIO_GPU_RESP_* code. `rect` has been checked against the resource. */
uint32_t scanout_set(struct scanouts *scanouts, unsigned head, struct resource *resource,
	const struct rect *rect);
uint32_t scanout_disable(struct scanouts *scanouts, unsigned head);
/* Turns all heads off. */
void scanouts_clear(struct scanouts *scanouts);
/*
 * Notes that the guest had flushed the head before the last renderer died, so that its picture is
 * shown without another flush.
 */
void scanout_set_flushed(struct scanouts *scanouts, unsigned head);
/* Returns the resource that the head shows, or NULL when it is off. */
const struct resource *scanout_get_resource(const struct scanouts *scanouts, unsigned head);

/*
 * Notes that the guest changed `rect` of the resource and wants it seen, and sends it as far as
 * display can take it. Returns false when it has flushed a head too often in this second, which is
 * logged once: then the change is seen with that head's next flush. What no head shows is not
 * counted.
 */
bool scanout_flush_resource(
	struct scanouts *scanouts, struct resource *resource, const struct rect *rect);
/* Notes that a 2D resource has new pixels, which may be a cursor's. */
void scanouts_note_pixels(struct scanouts *scanouts, const struct resource *resource);
/*
 * Notes that the guest draws on these heads (bit n: head n). Returns when it may go on: 0 for at
 * once, else a time of CLOCK_MONOTONIC, and *head says for the sake of which head; see pacing.h.
 */
uint64_t scanouts_draw_ns(struct scanouts *scanouts, uint32_t heads, unsigned *head);
bool scanouts_are_paced(const struct scanouts *scanouts);

/* Sends frames of all heads that have damage, as far as display can take them. */
void scanouts_pump(struct scanouts *scanouts);
/*
 * Returns a descriptor that is readable when scanout_complete() is to be called, or -1 when nothing
 * is pending. It stays the buffer's.
 */
int scanout_get_pending_fd(const struct scanouts *scanouts, unsigned head);
void scanout_complete(struct scanouts *scanouts, unsigned head);

/* ---- display ---- */

/* Takes a new frame link over. Display knows nothing then and is told everything. */
void scanouts_use_link(struct scanouts *scanouts, int fd);
/*
 * Returns the descriptor to poll (-1: none) and sets *events to the events to poll for. The
 * descriptor stays the link's.
 */
int scanouts_get_poll(const struct scanouts *scanouts, short *events);
/* Reads what display says and sends what waits for room, as poll() says is possible. */
void scanouts_serve_link(struct scanouts *scanouts, short revents);
/* Sets what modes_set_first() takes. */
void scanouts_set_first_mode(
	struct scanouts *scanouts, uint32_t width, uint32_t height, uint32_t refresh_mhz);
/*
 * Reads all that lies on the frame link, and returns the modes that display wants. A guest's
 * question that depends on display is answered from here. The call only takes note: locks of
 * released buffers end, but no frame is made, and no object and no head changes until
 * scanouts_follow_display(). So a command's handler may call it and keep what it holds.
 */
const struct modes *scanouts_hear_display(struct scanouts *scanouts);
/* Lets frames, buffers and heads follow what display has said. It is called between commands. */
void scanouts_follow_display(struct scanouts *scanouts);

/* ---- cursor ---- */

/* Returns the cursor for the main thread, which works the cursor queue. The cursor locks itself. */
struct cursor *scanouts_get_cursor(struct scanouts *scanouts);
/*
 * Fetches pixels that the main thread lacks, as cursor_take_request() says, and sends what display
 * has not been told yet.
 */
void scanouts_serve_cursor(struct scanouts *scanouts, uint16_t n_executed);
