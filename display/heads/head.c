/* SPDX-License-Identifier: MIT */
#include "display/heads/head.h"

#include "protocol/stats_clients.h"

struct head *head_create(unsigned number)
{
	g_assert(number < FRAME_HEADS_MAX);
	struct head *head = g_new0(struct head, 1);
	head->number = number;
	g_mutex_init(&head->lock);
	return head;
}

/* Must be called with the lock held and returns without it, since frame_unref may call out. */
static void replace_frame(struct head *head, struct frame *frame)
{
	struct frame *old = head->newest;
	head->newest = frame;
	g_mutex_unlock(&head->lock);
	frame_unref(old);
}

void head_destroy(struct head *head)
{
	if (!head)
		return;
	head_drop_frame(head);
	g_mutex_clear(&head->lock);
	g_free(head);
}

void head_resize(struct head *head, uint32_t width, uint32_t height)
{
	g_assert(width > 0 && height > 0);
	g_mutex_lock(&head->lock);
	head->width = width;
	head->height = height;
	head->mode++;
	head->blank = false;
	damage_reset(&head->pending, width, height);
	replace_frame(head, NULL);
}

void head_push_frame(
	struct head *head, struct frame *frame, const struct rect *rects, unsigned n_rects)
{
	g_mutex_lock(&head->lock);
	for (unsigned i = 0; i < n_rects; i++)
		damage_add(&head->pending, &rects[i]);
	if (damage_is_empty(&head->pending)) {
		g_mutex_unlock(&head->lock);
		frame_unref(frame);
		return;
	}
	stats_add(head->number, STATS_FRAMES_SUPERSEDED, head->newest != NULL);
	replace_frame(head, frame);
}

void head_push_blank(struct head *head)
{
	g_mutex_lock(&head->lock);
	head->blank = true;
	damage_reset(&head->pending, head->width, head->height);
	replace_frame(head, NULL);
}

void head_drop_frame(struct head *head)
{
	g_mutex_lock(&head->lock);
	damage_reset(&head->pending, head->width, head->height);
	replace_frame(head, NULL);
}

void head_set_watched(struct head *head, bool watched)
{
	g_mutex_lock(&head->lock);
	head->watched = watched;
	g_mutex_unlock(&head->lock);
}
