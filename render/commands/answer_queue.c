/* SPDX-License-Identifier: MIT */
#include "render/commands/answer_queue.h"

#include <glib.h>
#include <linux/virtio_gpu.h>
#include <stddef.h>
#include <string.h>

#include "common/monotonic.h"
#include "protocol/heartbeat_writer.h"
#include "protocol/stats_writer.h"
#include "render/scanout/pacing.h"
#include "render/gl/virgl.h"

struct waiting {
	uint32_t sequence;
	uint32_t context; /* whose work came last before it */
	struct answer_timing timing;
	uint64_t held_since_ns; /* the GPU was done, only its time had not come; 0: not yet */
	struct chain *chain;
	size_t charged_bytes; /* of the quota; 0: a header alone */
	size_t answer_bytes;
	uint8_t answer[];
};

struct answer_queue {
	struct virtqueue *vq;
	struct quota_account *account;
	GQueue waiting; /* struct waiting*, oldest first */
	uint32_t last_sequence, last_signaled;
	bool has_work;
	uint32_t work_context; /* whose work came last */
	bool any_left;         /* since it was asked for */
	uint32_t left_context; /* whose work came last before the one that left last */
};

struct answer_queue *answer_queue_create(struct virtqueue *vq, struct quota_account *account)
{
	struct answer_queue *queue = g_new0(struct answer_queue, 1);
	queue->vq = vq;
	queue->account = account;
	g_queue_init(&queue->waiting);
	return queue;
}

static void drop(struct answer_queue *queue, struct waiting *w)
{
	quota_give(queue->account, QUOTA_ANSWER_BYTES, w->charged_bytes);
	g_free(w);
}

void answer_queue_clear(struct answer_queue *queue)
{
	struct waiting *w;
	while ((w = g_queue_pop_head(&queue->waiting))) {
		chain_free(w->chain);
		drop(queue, w);
	}
}

void answer_queue_destroy(struct answer_queue *queue)
{
	if (!queue)
		return;
	answer_queue_clear(queue);
	g_free(queue);
}

void answer_queue_note_work(struct answer_queue *queue, uint32_t context)
{
	queue->has_work = true;
	queue->work_context = context;
}

/* Compares by distance, since sequence numbers wrap. */
static bool is_done(const struct answer_queue *queue, uint32_t sequence)
{
	return (int32_t)(sequence - queue->last_signaled) <= 0;
}

/* Tells the keeper since when the GPU has been at the oldest work, and whose that is. */
static void beat(const struct answer_queue *queue)
{
	uint32_t context = queue->work_context;
	if (is_done(queue, queue->last_sequence)) {
		heartbeat_idle(HEARTBEAT_GPU_WORK);
		return;
	}
	for (const GList *l = queue->waiting.head; l; l = l->next) {
		const struct waiting *w = l->data;
		if (is_done(queue, w->sequence))
			continue;
		context = w->context;
		break;
	}
	heartbeat_work(HEARTBEAT_GPU_WORK, "work of the GPU", context);
}

/*
 * Makes a fence behind the work that has none. If virglrenderer gives none, we answer as if the
 * work were done.
 */
static void cover_work(struct answer_queue *queue)
{
	if (!queue->has_work)
		return;
	queue->has_work = false;
	bool was_done = is_done(queue, queue->last_sequence);
	if (virgl_fence_create(queue->last_sequence + 1))
		queue->last_sequence++;
	else
		g_warning("answer queue: the GPU gives no fence, answering early");
	if (was_done)
		beat(queue);
}

void answer_queue_renew(struct answer_queue *queue)
{
	if (is_done(queue, queue->last_sequence))
		return;
	virgl_enter_context(queue->work_context);
	queue->has_work = true;
	cover_work(queue);
}

/*
 * Returns what waits of the answer: all of it, or an error in its header when the quota has no
 * room.
 */
static struct waiting *keep(struct answer_queue *queue, const void *answer, size_t answer_bytes)
{
	bool more = answer_bytes > sizeof(struct virtio_gpu_ctrl_hdr);
	bool over = more && !quota_take(queue->account, QUOTA_ANSWER_BYTES, answer_bytes);
	size_t kept_bytes = over ? sizeof(struct virtio_gpu_ctrl_hdr) : answer_bytes;
	struct waiting *w = g_malloc(sizeof(*w) + kept_bytes);
	w->charged_bytes = more && !over ? answer_bytes : 0;
	w->answer_bytes = kept_bytes;
	memcpy(w->answer, answer, kept_bytes);
	if (over) {
		uint32_t type = VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
		memcpy(w->answer + offsetof(struct virtio_gpu_ctrl_hdr, type), &type, sizeof(type));
	}
	return w;
}

static void wait_for(struct answer_queue *queue, struct chain *chain, const void *answer,
	size_t answer_bytes, const struct answer_timing *timing)
{
	struct waiting *w = keep(queue, answer, answer_bytes);
	w->sequence = queue->last_sequence;
	w->context = queue->work_context;
	w->timing = *timing;
	w->held_since_ns = 0;
	w->chain = chain;
	g_queue_push_tail(&queue->waiting, w);
	if (queue->waiting.length > ANSWER_HELD_MAX)
		w->timing.haste = ANSWER_AT_ONCE;
}

/*
 * Counts how many of the oldest may leave now. One that must not wait takes along those before it.
 */
static unsigned count_free(struct answer_queue *queue, uint64_t now_ns)
{
	unsigned n_done = 0, n_free = 0;
	for (GList *l = queue->waiting.head; l; l = l->next) {
		struct waiting *w = l->data;
		if (!is_done(queue, w->sequence))
			break;
		bool first_in_line = n_free == n_done++;
		bool due = w->timing.haste != ANSWER_HELD || w->timing.not_before_ns <= now_ns;
		if (w->timing.haste == ANSWER_AT_ONCE || (first_in_line && due))
			n_free = n_done;
		else if (!due && w->held_since_ns == 0)
			w->held_since_ns = now_ns;
	}
	return n_free;
}

static void count_held(const struct waiting *w, uint64_t now_ns)
{
	if (w->held_since_ns == 0)
		return;
	stats_add(w->timing.head, STATS_FENCES_HELD, 1);
	stats_add(w->timing.head, STATS_FENCES_HELD_US, (now_ns - w->held_since_ns) / 1000);
}

void answer_queue_release(struct answer_queue *queue)
{
	if (g_queue_is_empty(&queue->waiting))
		return;
	uint64_t now_ns = monotonic_now_ns();
	for (unsigned n = count_free(queue, now_ns); n > 0; n--) {
		struct waiting *w = g_queue_pop_head(&queue->waiting);
		count_held(w, now_ns);
		queue->any_left = true;
		queue->left_context = w->context;
		virtqueue_return(queue->vq, w->chain, w->answer, w->answer_bytes);
		drop(queue, w);
	}
}

void answer_queue_answer(struct answer_queue *queue, struct chain *chain, const void *answer,
	size_t answer_bytes, const struct answer_timing *timing)
{
	g_assert(chain && timing->haste <= ANSWER_HELD);
	cover_work(queue);
	if (g_queue_is_empty(&queue->waiting) && is_done(queue, queue->last_sequence) &&
		timing->haste != ANSWER_HELD) {
		virtqueue_return(queue->vq, chain, answer, answer_bytes);
		return;
	}
	wait_for(queue, chain, answer, answer_bytes, timing);
	answer_queue_release(queue);
}

void answer_queue_signal(struct answer_queue *queue, uint32_t sequence)
{
	if (!is_done(queue, sequence)) {
		queue->last_signaled = sequence;
		beat(queue);
	}
	answer_queue_release(queue);
}

bool answer_queue_take_left(struct answer_queue *queue, uint32_t *context)
{
	bool any_left = queue->any_left;
	*context = queue->left_context;
	queue->any_left = false;
	return any_left;
}

bool answer_queue_is_waiting(const struct answer_queue *queue)
{
	return queue->waiting.length > 0 && !is_done(queue, queue->last_sequence);
}

/*
 * Nothing is due while the GPU is busy with the oldest one, before virglrenderer says that it is
 * done.
 */
uint64_t answer_queue_get_due_ns(const struct answer_queue *queue)
{
	const struct waiting *w = g_queue_peek_head((GQueue *)&queue->waiting);
	bool held = w && is_done(queue, w->sequence) && w->timing.haste == ANSWER_HELD;
	return held ? MAX(w->timing.not_before_ns, 1) : 0;
}
