/* SPDX-License-Identifier: MIT */
/*
 * fence: answers that wait for the GPU, and for the head's next slot.
 *
 * The guest's fences are 64 bits and chosen by the guest; virglrenderer's are 32 bits and must
 * rise. So each wait has a sequence number of ours, and remembers the chain and answer that it
 * holds back. Fenced answers leave in the order of their commands, as Linux takes one fence for all
 * before it; unfenced ones never come here. gpu thread only.
 *
 * Pacing (pacing.h). Because Linux takes one fence for all before it, whatever the context, an
 * answer that must not wait takes along the held ones before it: nobody is slowed down who is not
 * paced, at the price that such a guest may outrun its heads. What is held when there are many goes
 * at once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "render/commands/limits.h"
#include "render/ring/virtqueue.h"

enum answer_haste {
	ANSWER_AT_ONCE,  /* when the GPU is done */
	ANSWER_IN_ORDER, /* behind those before it, however long they are held */
	ANSWER_HELD,     /* and not before a time */
};

struct answer_timing {
	enum answer_haste haste;
	unsigned head;          /* ANSWER_HELD: for whose slot */
	uint64_t not_before_ns; /* ANSWER_HELD: CLOCK_MONOTONIC */
};

struct answer_queue;

struct answer_queue *answer_queue_create(struct virtqueue *vq);
void answer_queue_destroy(struct answer_queue *queue);
/* Drops what waits: the guest is new. */
void answer_queue_clear(struct answer_queue *queue);

/* Commands of this context were given to the GPU that no fence covers yet. */
void answer_queue_note_work(struct answer_queue *queue, uint32_t context);
/*
 * To be called when a context was destroyed: virglrenderer 0.10 then forgets the fence that its
 * thread waits for, whose ever it is (vrend_free_fences_for_context). A new one answers for it.
 */
void answer_queue_renew(struct answer_queue *queue);
/*
 * Returns the chain when all GPU work so far is done and its time has come: at once when it has.
 * Takes the chain.
 */
void answer_queue_answer(struct answer_queue *queue, struct chain *chain, const void *answer,
	size_t answer_bytes, const struct answer_timing *timing);
/* virglrenderer: everything up to this number is done. */
void answer_queue_signal(struct answer_queue *queue, uint32_t sequence);
/* Something waits for the GPU. */
bool answer_queue_is_waiting(const struct answer_queue *queue);

/* When to call answer_queue_release(): a time of CLOCK_MONOTONIC, or 0 when nothing is held. */
uint64_t answer_queue_get_due_ns(const struct answer_queue *queue);
/* Returns what was held and is due. */
void answer_queue_release(struct answer_queue *queue);
