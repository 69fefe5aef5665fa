/* SPDX-License-Identifier: MIT */
/*
 * split: what is a split ring's own (virtio 1.2, 2.7) and needs nothing else of a virtqueue: where
 * its parts lie, when the driver wants to be interrupted, what a dead renderer left in the ledger.
 */
#pragma once

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol/keeper_link.h"
#include "protocol/ledger.h"
#include "render/ring/memory.h"

/* Finds the ring in the memory table. False: it is not there, or makes no ring. */
bool split_find(
	struct vring *ring, const struct memory *memory, const struct keeper_ring_start *start);
/*
 * Mends the ledger for a renderer that takes a ring over, which finds in it what the one before was
 * doing.
 */
void split_settle(const struct vring *ring, struct ledger_ring *ledger, uint16_t next_avail,
	uint16_t used_index);
/*
 * Returns whether the driver wants to be interrupted for the last entry before this index. Its wish
 * must be read after the used index was published, hence the full fence.
 */
static inline bool split_wants_interrupt(
	const struct vring *ring, uint16_t used_index, bool event_idx)
{
	const __virtio16 *wish = event_idx ? &vring_used_event(ring) : &ring->avail->flags;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	uint16_t word = __atomic_load_n((const uint16_t *)wish, __ATOMIC_RELAXED);
	if (event_idx)
		return vring_need_event(word, used_index, (uint16_t)(used_index - 1));
	return !(word & VRING_AVAIL_F_NO_INTERRUPT);
}
/* Asks a driver without event indices for kicks, or says that none are needed. */
void split_want_kicks(struct vring *ring, bool wanted);
/* Returns whether the driver has never written into it, as far as we see. */
bool split_is_blank(const struct vring *ring);
/* Marks in the log what giving a command back has written of the ring. */
void split_mark(const struct vring *ring, const struct memory *memory, struct dirty_log *log);
