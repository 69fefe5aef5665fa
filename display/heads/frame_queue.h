/* SPDX-License-Identifier: MIT */
/*
 * fence queue: frames whose pixels the GPU is still drawing, in order, one queue for each head.
 *
 * A frame comes with a descriptor that becomes readable when its pixels may be read (a sync file).
 * It is delivered then, and never before the frames that came earlier; other heads and the cursor
 * do not wait for it. At most FENCE_QUEUE_MAX frames of a head wait: past that the newest replaces
 * the last, and counts as changed all over.
 *
 * Threads: main loop.
 */
#pragma once

#include "display/heads/frame.h"

#define FENCE_QUEUE_MAX 2

struct fence_queue;

/* `frame` is the callee's. False: the peer is to be dropped. */
typedef bool (*fence_queue_deliver)(
	void *user, struct frame *frame, const struct frame_frame *message);
/* A late delivery was answered with false. */
typedef void (*fence_queue_failed)(void *user);

struct fence_queue *fence_queue_create(
	fence_queue_deliver deliver, fence_queue_failed failed, void *user);
/* Lets go of what waits. */
void fence_queue_destroy(struct fence_queue *queue);

/* Takes over frame and fence (-1: none). Returns deliver's answer if it was delivered at once. */
bool fence_queue_push(struct fence_queue *queue, struct frame *frame,
	const struct frame_frame *message, int fence);

/* Lets go of a head's waiting frames. */
void fence_queue_drop(struct fence_queue *queue, unsigned head);
