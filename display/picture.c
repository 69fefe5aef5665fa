/* SPDX-License-Identifier: MIT */
#include "display/picture.h"

#include <string.h>

#include "display/stats.h"

#define BYTES_PER_PIXEL 4u

static uint64_t head_pixels(const struct head *head)
{
	return (uint64_t)head->width * head->height;
}

static size_t heap_max(const struct head *head)
{
	return (size_t)CLAMP(3 * head_pixels(head) * BYTES_PER_PIXEL, PICTURE_HEAP_MIN,
			PICTURE_HEAP_MAX);
}

static bool wants_whole(const struct head *head)
{
	return head->newest->whole &&
			damage_area(&head->pending) * 100 >= head_pixels(head) * PICTURE_WHOLE_PERCENT;
}

static enum picture_result take_blank(struct head *head, struct picture *picture)
{
	head->blank = false;
	*picture = (struct picture){ .head = head, .rect = { 0, 0, head->width, head->height } };
	return PICTURE_TAKEN;
}

static enum picture_result take_whole(struct head *head, struct picture *picture)
{
	if (head->out.whole >= PICTURE_WHOLE_MAX)
		return PICTURE_BLOCKED;
	head->out.whole++;
	struct frame *frame = g_steal_pointer(&head->newest);
	damage_reset(&head->pending, head->width, head->height);
	*picture = (struct picture){
		.head = head,
		.rect = { 0, 0, head->width, head->height },
		.pixels = frame->pixels,
		.stride_bytes = frame->stride_bytes,
		.frame = frame,
	};
	return PICTURE_TAKEN;
}

static uint8_t *copy_rect(const struct frame *frame, const struct frame_rect *rect, size_t *size_bytes)
{
	size_t row_bytes = (size_t)rect->width * BYTES_PER_PIXEL;
	uint8_t *copy = g_malloc(row_bytes * rect->height);
	const uint8_t *from = frame->pixels + (size_t)rect->y * frame->stride_bytes +
			(size_t)rect->x * BYTES_PER_PIXEL;
	for (uint32_t row = 0; row < rect->height; row++)
		memcpy(copy + row * row_bytes, from + (size_t)row * frame->stride_bytes, row_bytes);
	*size_bytes = row_bytes * rect->height;
	return copy;
}

/* A quarter of the heap is the most that one copy may take, so that several can be on their way. */
static enum picture_result take_copy(struct head *head, struct picture *picture)
{
	size_t copy_max = heap_max(head) / 4;
	if (head->out.copies >= PICTURE_COPIES_MAX ||
			head->out.heap_bytes > heap_max(head) - copy_max) {
		bool again = head->out.starved;
		head->out.starved = true;
		return again ? PICTURE_BLOCKED : PICTURE_STARVED;
	}
	struct frame_rect rect;
	damage_take(&head->pending, copy_max / BYTES_PER_PIXEL, &rect);
	*picture = (struct picture){
		.head = head,
		.rect = rect,
		.stride_bytes = rect.width * BYTES_PER_PIXEL,
	};
	picture->copy = copy_rect(head->newest, &rect, &picture->copy_bytes);
	picture->pixels = picture->copy;
	head->out.copies++;
	head->out.heap_bytes += picture->copy_bytes;
	return PICTURE_TAKEN;
}

enum picture_result picture_take(struct head *head, struct picture *picture)
{
	enum picture_result result = PICTURE_NONE;
	struct frame *done = NULL;
	g_mutex_lock(&head->lock);
	if (head->blank) {
		result = take_blank(head, picture);
	} else if (head->newest) {
		result = wants_whole(head) ? take_whole(head, picture) : take_copy(head, picture);
		if (damage_is_empty(&head->pending))
			done = g_steal_pointer(&head->newest);
	}
	g_mutex_unlock(&head->lock);
	frame_unref(done);
	if (result == PICTURE_TAKEN) {
		stats_add(head->number, STATS_PICTURES, 1);
		stats_add(head->number, STATS_SENT_PIXELS,
				(uint64_t)picture->rect.width * picture->rect.height);
	}
	return result;
}

bool picture_release(struct picture *picture)
{
	struct head *head = picture->head;
	g_mutex_lock(&head->lock);
	if (picture->frame)
		head->out.whole--;
	if (picture->copy) {
		head->out.copies--;
		head->out.heap_bytes -= picture->copy_bytes;
	}
	head->out.starved = false;
	bool waiting = head->newest != NULL;
	g_mutex_unlock(&head->lock);
	frame_unref(picture->frame);
	g_free(picture->copy);
	return waiting;
}
