/* SPDX-License-Identifier: MIT */
#include "display/qemu/input_queue.h"

#include <glib.h>
#include <stddef.h>

static int32_t add_bounded(int32_t a, int32_t b)
{
	int64_t sum = (int64_t)a + b;
	return sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : (int32_t)sum;
}

static bool merge(struct input_event *last, const struct input_event *event)
{
	if (last->kind != event->kind)
		return false;
	if (event->kind == INPUT_ABSOLUTE) {
		*last = *event;
		return true;
	}
	if (event->kind == INPUT_RELATIVE) {
		last->x = add_bounded(last->x, event->x);
		last->y = add_bounded(last->y, event->y);
		return true;
	}
	return false;
}

static struct input_event *event_at(struct input_queue *queue, unsigned index)
{
	return &queue->events[(queue->first + index) % INPUT_QUEUE_MAX];
}

bool input_queue_push(struct input_queue *queue, const struct input_event *event)
{
	g_assert(queue->length <= INPUT_QUEUE_MAX);
	if (queue->length > 0 && merge(event_at(queue, queue->length - 1), event))
		return true;
	if (queue->length == INPUT_QUEUE_MAX)
		return false;
	*event_at(queue, queue->length++) = *event;
	return true;
}

bool input_queue_next(struct input_queue *queue, struct input_event *event)
{
	g_assert(queue->n_sent <= INPUT_QUEUE_SENT_MAX);
	if (queue->length == 0 || queue->n_sent == INPUT_QUEUE_SENT_MAX)
		return false;
	*event = *event_at(queue, 0);
	queue->first = (queue->first + 1) % INPUT_QUEUE_MAX;
	queue->length--;
	queue->n_sent++;
	return true;
}

void input_queue_answered(struct input_queue *queue)
{
	if (queue->n_sent > 0)
		queue->n_sent--;
}

void input_queue_clear(struct input_queue *queue, bool sent)
{
	queue->length = 0;
	if (sent)
		queue->n_sent = 0;
}
