/* SPDX-License-Identifier: MIT */
/*
 * fence queue: frames whose pixels the GPU is still drawing, in order, one queue for each head.
 *
 * A frame comes with a descriptor that becomes readable when its pixels may be read (a sync file).
 * It is delivered then, and never before the frames that came earlier; other heads and the cursor
 * do not wait for it. At most FRAME_QUEUE_MAX frames of a head wait: past that the newest replaces
 * the last, and counts as changed all over.
 *
 * Threads: main loop.
 */
#pragma once

#include "display/heads/frame.h"

#define FRAME_QUEUE_MAX 2

struct frame_queue;

/* `frame` is the callee's. False: the peer is to be dropped. */
typedef bool (*frame_queue_deliver)(
	void *user, struct frame *frame, const struct frame_present *message);
/* A late delivery was answered with false. */
typedef void (*frame_queue_failed)(void *user);

struct frame_queue *frame_queue_create(
	frame_queue_deliver deliver, frame_queue_failed failed, void *user);
/* Lets go of what waits. */
void frame_queue_destroy(struct frame_queue *queue);

/* Takes over frame and fence (-1: none). Returns deliver's answer if it was delivered at once. */
bool frame_queue_push(struct frame_queue *queue, struct frame *frame,
	const struct frame_present *message, int fence);

/* Lets go of a head's waiting frames. */
void frame_queue_drop(struct frame_queue *queue, unsigned head);
