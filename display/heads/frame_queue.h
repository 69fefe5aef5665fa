/* SPDX-License-Identifier: MIT */
/*
 * frame queue: keeps frames whose pixels the GPU is still drawing, in order, one queue for each
 * head.
 *
 * A frame may come with a fence: a descriptor (a sync file) that becomes readable when its pixels
 * may be read. The frame is delivered then, but never before the frames of its head that came
 * earlier; other heads and the cursor do not wait for it. At most FRAME_QUEUE_MAX frames of a head
 * wait: past that the newest frame replaces the last queued one, and its damage is the whole head.
 *
 * Threads: main loop.
 */
#pragma once

#include "display/heads/frame.h"

struct frame_queue;

/* Takes over the reference to the frame. Answers false when the peer is to be dropped. */
typedef bool (*frame_queue_deliver)(
	void *user, struct frame *frame, const struct frame_present *message);
/* Says that the delivery of a frame that had waited was answered with false. */
typedef void (*frame_queue_failed)(void *user);

struct frame_queue *frame_queue_create(
	frame_queue_deliver deliver, frame_queue_failed failed, void *user);
/* Lets go of all frames that wait. */
void frame_queue_destroy(struct frame_queue *queue);

/*
 * Takes over the frame and the fence (-1: none). Returns deliver's answer if the frame was
 * delivered at once, else true. message->head is below FRAME_HEADS_MAX.
 */
bool frame_queue_push(struct frame_queue *queue, struct frame *frame,
	const struct frame_present *message, int fence);

/* Lets go of the frames of a head that wait. */
void frame_queue_drop(struct frame_queue *queue, unsigned head);
