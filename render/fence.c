/* SPDX-License-Identifier: MIT */
#include "render/fence.h"

#include <glib.h>
#include <string.h>

#include "render/virgl.h"

struct waiting {
	uint32_t sequence;
	struct chain *chain;
	size_t answer_bytes;
	uint8_t answer[];
};

struct fence_queue {
	struct virtqueue *vq;
	GQueue waiting; /* struct waiting*, oldest first */
	uint32_t last_sequence, last_signaled;
	bool has_work;
	uint32_t work_context; /* whose work came last */
};

struct fence_queue *fence_queue_create(struct virtqueue *vq)
{
	struct fence_queue *queue = g_new0(struct fence_queue, 1);
	queue->vq = vq;
	g_queue_init(&queue->waiting);
	return queue;
}

void fence_queue_clear(struct fence_queue *queue)
{
	struct waiting *w;
	while ((w = g_queue_pop_head(&queue->waiting))) {
		chain_free(w->chain);
		g_free(w);
	}
}

void fence_queue_note_work(struct fence_queue *queue, uint32_t context)
{
	queue->has_work = true;
	queue->work_context = context;
}

/* Sequence numbers wrap: compared by distance. */
static bool is_done(const struct fence_queue *queue, uint32_t sequence)
{
	return (int32_t)(sequence - queue->last_signaled) <= 0;
}

/* virglrenderer without a fence to give is treated as if the work were done. */
static void cover_work(struct fence_queue *queue)
{
	if (!queue->has_work)
		return;
	queue->has_work = false;
	if (virgl_fence_create(queue->last_sequence + 1))
		queue->last_sequence++;
	else
		g_warning("fence: the GPU gives none, answering early");
}

void fence_queue_renew(struct fence_queue *queue)
{
	if (is_done(queue, queue->last_sequence))
		return;
	virgl_enter_context(queue->work_context);
	queue->has_work = true;
	cover_work(queue);
}

static void wait_for(struct fence_queue *queue, struct chain *chain, const void *answer,
		size_t answer_bytes)
{
	struct waiting *w = g_malloc(sizeof(*w) + answer_bytes);
	w->sequence = queue->last_sequence;
	w->chain = chain;
	w->answer_bytes = answer_bytes;
	memcpy(w->answer, answer, answer_bytes);
	g_queue_push_tail(&queue->waiting, w);
}

void fence_queue_answer(struct fence_queue *queue, struct chain *chain, const void *answer,
		size_t answer_bytes)
{
	cover_work(queue);
	if (g_queue_is_empty(&queue->waiting) && is_done(queue, queue->last_sequence))
		virtqueue_return(queue->vq, chain, answer, answer_bytes);
	else
		wait_for(queue, chain, answer, answer_bytes);
}

void fence_queue_signal(struct fence_queue *queue, uint32_t sequence)
{
	if (!is_done(queue, sequence))
		queue->last_signaled = sequence;
	struct waiting *w;
	while ((w = g_queue_peek_head(&queue->waiting)) && is_done(queue, w->sequence)) {
		g_queue_pop_head(&queue->waiting);
		virtqueue_return(queue->vq, w->chain, w->answer, w->answer_bytes);
		g_free(w);
	}
}

bool fence_queue_is_waiting(const struct fence_queue *queue)
{
	return queue->waiting.length > 0;
}
