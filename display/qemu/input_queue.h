/* SPDX-License-Identifier: MIT */
/*
 * input queue: what people do with keyboard and pointer, on its way to QEMU.
 *
 * Order is kept. A pointer that has moved on replaces its position that was not sent yet, so a slow
 * QEMU sees fewer steps and no backlog. At most INPUT_QUEUE_SENT_MAX events are on their way at
 * once; behind them wait at most INPUT_QUEUE_MAX.
 *
 * Threads: main loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define INPUT_QUEUE_MAX 512
#define INPUT_QUEUE_SENT_MAX 16

enum input_kind {
	INPUT_KEY,    /* code: QEMU key number */
	INPUT_BUTTON, /* code: QEMU button */
	INPUT_ABSOLUTE,
	INPUT_RELATIVE,
};

struct input_event {
	enum input_kind kind;
	uint32_t code;
	bool down;
	int32_t x, y;                           /* pixel of the desktop, or way to go */
	uint32_t desktop_width, desktop_height; /* that x and y lie in */
};

struct input_queue {
	unsigned first, length;
	unsigned n_sent;
	struct input_event events[INPUT_QUEUE_MAX];
};

/* False when it is full. */
bool input_queue_push(struct input_queue *queue, const struct input_event *event);

/* Takes the next event that may be sent now. */
bool input_queue_next(struct input_queue *queue, struct input_event *event);

/* One that was taken has been answered. */
void input_queue_answered(struct input_queue *queue);

/* Forgets what waits; sent: also what is on its way, whose answers will not come. */
void input_queue_clear(struct input_queue *queue, bool sent);
