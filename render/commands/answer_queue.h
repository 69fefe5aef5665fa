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

#include "render/ring/virtqueue.h"

/* More waiting answers than this are not held: the guest needs its ring. */
#define FENCE_HELD_MAX 64

enum fence_haste {
	FENCE_AT_ONCE,  /* when the GPU is done */
	FENCE_IN_ORDER, /* behind those before it, however long they are held */
	FENCE_HELD,     /* and not before a time */
};

struct fence_pace {
	enum fence_haste haste;
	unsigned head;          /* FENCE_HELD: for whose slot */
	uint64_t not_before_ns; /* FENCE_HELD: CLOCK_MONOTONIC */
};

struct fence_queue;

struct fence_queue *fence_queue_create(struct virtqueue *vq);
/* Drops what waits: the guest is new. */
void fence_queue_clear(struct fence_queue *queue);

/* Commands of this context were given to the GPU that no fence covers yet. */
void fence_queue_note_work(struct fence_queue *queue, uint32_t context);
/*
 * To be called when a context was destroyed: virglrenderer 0.10 then forgets the fence that its
 * thread waits for, whose ever it is (vrend_free_fences_for_context). A new one answers for it.
 */
void fence_queue_renew(struct fence_queue *queue);
/*
 * Returns the chain when all GPU work so far is done and its time has come: at once when it has.
 * Takes the chain.
 */
void fence_queue_answer(struct fence_queue *queue, struct chain *chain, const void *answer,
	size_t answer_bytes, const struct fence_pace *pace);
/* virglrenderer: everything up to this number is done. */
void fence_queue_signal(struct fence_queue *queue, uint32_t sequence);
/* Something waits for the GPU. */
bool fence_queue_is_waiting(const struct fence_queue *queue);

/* When to call fence_queue_release(): a time of CLOCK_MONOTONIC, or 0 when nothing is held. */
uint64_t fence_queue_get_due_ns(const struct fence_queue *queue);
/* Returns what was held and is due. */
void fence_queue_release(struct fence_queue *queue);
