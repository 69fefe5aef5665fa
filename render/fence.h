/* SPDX-License-Identifier: MIT */
/*
 * fence: answers that wait for the GPU.
 *
 * The guest's fences are 64 bits and chosen by the guest; virglrenderer's are 32 bits and must rise.
 * So each wait has a sequence number of ours, and remembers the chain and answer that it holds back.
 * Fenced answers leave in the order of their commands, as Linux takes one fence for all before it;
 * unfenced ones never come here. gpu thread only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "render/virtqueue.h"

struct fence_queue;

struct fence_queue *fence_queue_create(struct virtqueue *vq);
/* Drops what waits: the guest is new. */
void fence_queue_clear(struct fence_queue *queue);

/* Commands of this context were given to the GPU that no fence covers yet. */
void fence_queue_note_work(struct fence_queue *queue, uint32_t context);
/*
 * To be called when a context was destroyed: virglrenderer 0.10 then forgets the fence that its thread
 * waits for, whose ever it is (vrend_free_fences_for_context). A new one answers for it.
 */
void fence_queue_renew(struct fence_queue *queue);
/*
 * Returns the chain when all GPU work so far is done: at once when there is none. Takes the chain.
 */
void fence_queue_answer(struct fence_queue *queue, struct chain *chain, const void *answer,
		size_t answer_bytes);
/* virglrenderer: everything up to this number is done. */
void fence_queue_signal(struct fence_queue *queue, uint32_t sequence);
bool fence_queue_is_waiting(const struct fence_queue *queue);
