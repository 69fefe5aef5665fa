/* SPDX-License-Identifier: MIT */
#include "display/heads/frame_queue.h"

#include <glib-unix.h>
#include <poll.h>
#include <unistd.h>

struct queued_frame {
	struct frame *frame;
	struct frame_present message;
	int fence; /* -1: may be delivered when it is first */
};

struct head_queue {
	struct frame_queue *owner;
	GQueue entries;
	guint source; /* watches the first entry's fence */
};

struct frame_queue {
	frame_queue_deliver deliver;
	frame_queue_failed failed;
	void *user;
	struct head_queue heads[FRAME_HEADS_MAX];
};

struct frame_queue *frame_queue_create(
	frame_queue_deliver deliver, frame_queue_failed failed, void *user)
{
	struct frame_queue *queue = g_new0(struct frame_queue, 1);
	queue->deliver = deliver;
	queue->failed = failed;
	queue->user = user;
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		queue->heads[i].owner = queue;
		g_queue_init(&queue->heads[i].entries);
	}
	return queue;
}

static void entry_free(gpointer data)
{
	struct queued_frame *entry = data;
	frame_unref(entry->frame);
	if (entry->fence >= 0)
		close(entry->fence);
	g_free(entry);
}

void frame_queue_drop(struct frame_queue *queue, unsigned head)
{
	g_assert(head < FRAME_HEADS_MAX);
	struct head_queue *waiting = &queue->heads[head];
	g_clear_handle_id(&waiting->source, g_source_remove);
	g_queue_clear_full(&waiting->entries, entry_free);
}

void frame_queue_destroy(struct frame_queue *queue)
{
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++)
		frame_queue_drop(queue, i);
	g_free(queue);
}

/* An error counts as a signal: there is nothing better to wait for. */
static bool is_signalled(int fence)
{
	struct pollfd p = { .fd = fence, .events = POLLIN };
	return fence < 0 || poll(&p, 1, 0) != 0;
}

static gboolean on_signalled(gint fd, GIOCondition condition, gpointer user);

/* A callee that drops the peer may destroy the queue: once one has answered false nothing of it is
 * touched. */
static bool deliver_ready(struct head_queue *waiting)
{
	struct frame_queue *queue = waiting->owner;
	struct queued_frame *first = g_queue_peek_head(&waiting->entries);
	bool ok = true;
	while (ok && first && is_signalled(first->fence)) {
		g_queue_pop_head(&waiting->entries);
		struct frame *frame = g_steal_pointer(&first->frame);
		ok = queue->deliver(queue->user, frame, &first->message);
		entry_free(first);
		first = g_queue_peek_head(&waiting->entries);
	}
	if (ok && first)
		waiting->source = g_unix_fd_add(
			first->fence, G_IO_IN | G_IO_ERR | G_IO_HUP, on_signalled, waiting);
	return ok;
}

static gboolean on_signalled(gint fd, GIOCondition condition, gpointer user)
{
	struct head_queue *waiting = user;
	struct frame_queue *queue = waiting->owner;
	waiting->source = 0;
	if (!deliver_ready(waiting))
		queue->failed(queue->user);
	return G_SOURCE_REMOVE;
}

static void replace_last(
	struct head_queue *waiting, struct frame_present *message, const struct frame *frame)
{
	if (waiting->entries.length < FRAME_QUEUE_MAX)
		return;
	entry_free(g_queue_pop_tail(&waiting->entries));
	message->n_rects = 1;
	message->rects[0] = (struct rect){ 0, 0, frame->width, frame->height };
}

bool frame_queue_push(struct frame_queue *queue, struct frame *frame,
	const struct frame_present *message, int fence)
{
	g_assert(message->head < FRAME_HEADS_MAX && message->head == frame->head);
	struct head_queue *waiting = &queue->heads[message->head];
	if (g_queue_is_empty(&waiting->entries) && is_signalled(fence)) {
		if (fence >= 0)
			close(fence);
		return queue->deliver(queue->user, frame, message);
	}
	struct queued_frame *entry = g_new(struct queued_frame, 1);
	*entry = (struct queued_frame){ .frame = frame, .message = *message, .fence = fence };
	replace_last(waiting, &entry->message, frame);
	g_queue_push_tail(&waiting->entries, entry);
	return waiting->source ? true : deliver_ready(waiting);
}
