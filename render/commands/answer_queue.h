/* SPDX-License-Identifier: MIT */
/*
 * answer_queue: keeps fenced answers until the GPU is done, and some of them until a head's slot.
 *
 * The guest's fences are 64 bits and chosen by the guest; virglrenderer's are 32 bits and must
 * rise. So each answer that waits has a sequence number of ours. Linux takes a fence to mean that
 * all fences before it are done, whatever their contexts, so fenced answers leave in the order of
 * their commands. Answers without a fence never come here. Only the gpu thread calls it.
 *
 * Some answers are held back for pacing (pacing.h). An answer that may not wait releases all held
 * answers before it. So a guest that mixes both can exceed the refresh rate. When ANSWER_HELD_MAX
 * answers wait, another one is not held.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "render/commands/limits.h"
#include "render/quota/quota.h"
#include "render/ring/virtqueue.h"

enum answer_haste {
	ANSWER_AT_ONCE,  /* when the GPU is done */
	ANSWER_IN_ORDER, /* when the GPU is done and all answers before it have left */
	ANSWER_HELD,     /* the same, and not before a time */
};

struct answer_timing {
	enum answer_haste haste;
	unsigned head;          /* ANSWER_HELD: the head whose slot it waits for */
	uint64_t not_before_ns; /* ANSWER_HELD: CLOCK_MONOTONIC */
};

struct answer_queue;

/*
 * Makes a queue that answers on `vq`. The bytes that it holds are taken from the account. Both must
 * outlive it.
 */
struct answer_queue *answer_queue_create(struct virtqueue *vq, struct quota_account *account);
void answer_queue_destroy(struct answer_queue *queue);
/* Drops what waits without an answer, since the guest is new. */
void answer_queue_clear(struct answer_queue *queue);

/* Notes that the GPU was given commands of this context, which no fence covers yet. */
void answer_queue_note_work(struct answer_queue *queue, uint32_t context);
/*
 * Makes a fence that stands for all those before it. Is to be called when a context was destroyed:
 * virglrenderer 0.10 then forgets the fence that its thread waits for, even if that belongs to
 * another context (vrend_free_fences_for_context).
 */
void answer_queue_renew(struct answer_queue *queue);
/*
 * Answers the chain as soon as all GPU work so far is done and its time has come, which may be
 * now. Takes the chain over. The answer begins with a header. One that has to wait and is over the
 * guest's quota becomes ERR_OUT_OF_MEMORY, with its fence; a header alone is always held.
 */
void answer_queue_answer(struct answer_queue *queue, struct chain *chain, const void *answer,
	size_t answer_bytes, const struct answer_timing *timing);
/* Is called when virglrenderer says that all work up to this number is done. */
void answer_queue_signal(struct answer_queue *queue, uint32_t sequence);
/*
 * Returns whether an answer that had to wait has left since the last call, and whose work the last
 * of them stood behind.
 */
bool answer_queue_take_left(struct answer_queue *queue, uint32_t *context);
/* Returns true while an answer waits for the GPU. */
bool answer_queue_is_waiting(const struct answer_queue *queue);

/*
 * Returns when to call answer_queue_release(): a time of CLOCK_MONOTONIC, or 0 when nothing is
 * held.
 */
uint64_t answer_queue_get_due_ns(const struct answer_queue *queue);
/* Gives the answers that were held and are due. */
void answer_queue_release(struct answer_queue *queue);
