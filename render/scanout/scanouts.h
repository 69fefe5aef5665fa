/* SPDX-License-Identifier: MIT */
/*
 * scanouts: what the guest's heads show, and getting it to display.
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
 * going. gpu thread only.
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

/* `no_pacing`: let guests outrun their heads. Listens to `objects`, which must live longer. */
struct scanouts *scanouts_create(struct objects *objects, bool no_pacing);
void scanouts_destroy(struct scanouts *scanouts);
/* GL works: how pictures that the CPU reads are filled, and whether there are GPU buffers too. */
void scanouts_use_gl(
	struct scanouts *scanouts, const struct buffer_interface *cpu_buffers, bool gpu_buffers);

/* ---- heads (scanout.c) ---- */

/* Both answer with a VIRTIO_GPU_RESP_* code. `rect` has been checked against the resource. */
uint32_t scanout_set(struct scanouts *scanouts, unsigned head, struct resource *resource,
	const struct rect *rect);
uint32_t scanout_disable(struct scanouts *scanouts, unsigned head);
/* Turns all of them off. */
void scanouts_clear(struct scanouts *scanouts);
/* The guest had flushed the head before the last renderer died: no other flush is waited for. */
void scanout_set_flushed(struct scanouts *scanouts, unsigned head);
/* NULL: the head is off. */
const struct resource *scanout_get_resource(const struct scanouts *scanouts, unsigned head);

/*
 * The guest changed `rect` of the resource and wants it seen. False (logged) when it has flushed a
 * head too often in this second: then it is seen with that head's next flush. What no head shows is
 * not counted.
 */
bool scanout_flush_resource(
	struct scanouts *scanouts, struct resource *resource, const struct rect *rect);
/* A 2D resource has new pixels, which may be a cursor's. */
void scanouts_note_pixels(struct scanouts *scanouts, const struct resource *resource);
/*
 * The guest draws on these heads (bit n: head n). Returns when it may go on: 0 for at once, else a
 * time of CLOCK_MONOTONIC and in *head for whose sake; see pacing.h.
 */
uint64_t scanouts_draw_ns(struct scanouts *scanouts, uint32_t heads, unsigned *head);
bool scanouts_are_paced(const struct scanouts *scanouts);

/* Sends frames of all heads that have damage, as far as display can take them. */
void scanouts_pump(struct scanouts *scanouts);
/* Readable when scanout_complete() is to be called; -1: nothing is pending. */
int scanout_get_pending_fd(const struct scanouts *scanouts, unsigned head);
void scanout_complete(struct scanouts *scanouts, unsigned head);

/* ---- display ---- */

/* A new frame link (taken over): display knows nothing and is told everything. */
void scanouts_use_link(struct scanouts *scanouts, int fd);
/* What to poll for: the descriptor (-1: none) and its events. */
int scanouts_get_poll(const struct scanouts *scanouts, short *events);
/* Reads what display says and sends what waits for room, as poll() says is possible. */
void scanouts_serve_link(struct scanouts *scanouts, short revents);
/*
 * What display has said so far: reads all that lies on the frame link, and returns the modes that
 * display wants. A guest's question that depends on display is answered from here. It only takes
 * note: locks of released buffers end, but no frame is made, no object and no head changes until
 * scanouts_follow_display(). So a command's handler may call it and keep what it holds.
 */
const struct modes *scanouts_hear_display(struct scanouts *scanouts);
/* Lets frames, buffers and heads follow what display has said. Is called between commands. */
void scanouts_follow_display(struct scanouts *scanouts);

/* ---- cursor ---- */

/* For the main thread, which works the cursor queue: it locks itself. */
struct cursor *scanouts_get_cursor(struct scanouts *scanouts);
/* Fetches pixels that the main thread lacks, and sends what display has not been told yet. */
void scanouts_serve_cursor(struct scanouts *scanouts);
