/* SPDX-License-Identifier: MIT */
/*
 * input queue: keeps what people do with keyboard and pointer, on its way to QEMU.
 *
 * Events leave in the order in which they came. When the last one that waits is a movement, too, a
 * new movement is merged into it: a slow QEMU sees fewer steps and no backlog. How many events
 * wait, and how many were sent and not answered, is bounded (limits.h).
 *
 * It is a plain value without a lock; inputs.h owns the one there is. Threads: main loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display/qemu/limits.h"

enum input_kind {
	INPUT_KEY,      /* code: a QEMU key number (keymap.h) */
	INPUT_BUTTON,   /* code: enum input_button */
	INPUT_ABSOLUTE, /* x, y: a pixel of the desktop */
	INPUT_RELATIVE, /* x, y: a way in pixels */
};

struct input_event {
	enum input_kind kind;
	uint32_t code;
	bool down;
	int32_t x, y;
	uint32_t desktop_width, desktop_height; /* INPUT_ABSOLUTE: the desktop it is a pixel of */
};

/* A queue of zeros is empty. */
struct input_queue {
	unsigned first, length; /* the events that wait, in the ring `events` */
	unsigned n_sent;        /* taken and not answered yet */
	struct input_event events[INPUT_QUEUE_MAX];
};

/* Returns false, and drops the event, when the queue is full. */
bool input_queue_push(struct input_queue *queue, const struct input_event *event);

/* Takes the next event that may be sent now. Returns false when there is none. */
bool input_queue_next(struct input_queue *queue, struct input_event *event);

/* Says that QEMU has answered one of the events that were taken: another may be. */
void input_queue_answered(struct input_queue *queue);

/*
 * Drops the events that wait. `sent` says that those that were taken will not be answered any more,
 * either.
 */
void input_queue_clear(struct input_queue *queue, bool sent);
