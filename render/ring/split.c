/* SPDX-License-Identifier: MIT */
#include "render/ring/split.h"

#include <string.h>

/*
 * avail is made of flags, idx, ring and used_event, and used of flags, idx, ring and avail_event
 * (virtio 1.2, 2.7.6, 2.7.8).
 */
bool split_find(struct vring *ring, const struct memory *memory, const struct keeper_ring_start *s)
{
	void *desc = memory_at_user(memory, s->desc_user_addr, 16ull * s->size);
	void *avail = memory_at_user(memory, s->avail_user_addr, 2ull * s->size + 6);
	void *used = memory_at_user(memory, s->used_user_addr, 8ull * s->size + 6);
	if (!desc || !avail || !used)
		return false;
	if (((uintptr_t)desc & 15) || ((uintptr_t)avail & 1) || ((uintptr_t)used & 3))
		return false;
	*ring = (struct vring){ .num = s->size, .desc = desc, .avail = avail, .used = used };
	return true;
}

/*
 * Two things may have been cut short. A return has happened if the used index has moved. A take has
 * not happened if the chain is marked but next_avail has not advanced.
 */
void split_settle(
	const struct vring *ring, struct ledger_ring *l, uint16_t next_avail, uint16_t used_index)
{
	uint16_t returning = l->returning;
	if (returning < KEEPER_RING_SIZE_MAX && l->used_index != used_index)
		l->taken[returning] = 0;
	l->returning = LEDGER_NO_CHAIN;
	l->used_index = used_index;
	l->next_avail = next_avail;
	if (__atomic_load_n((const uint16_t *)&ring->avail->idx, __ATOMIC_ACQUIRE) != next_avail) {
		uint16_t first_desc = ring->avail->ring[next_avail & (ring->num - 1)];
		if (first_desc < ring->num)
			l->taken[first_desc] = 0;
	}
	memset(l->taken + ring->num, 0, KEEPER_RING_SIZE_MAX - ring->num);
}

bool split_is_blank(const struct vring *ring)
{
	return memory_is_zero(ring->desc, sizeof(struct vring_desc) * ring->num) &&
	       memory_is_zero(ring->avail, 2ul * ring->num + 6);
}

void split_mark(const struct vring *ring, const struct memory *memory, struct dirty_log *log)
{
	memory_mark(memory, log, ring->used, 8ull * ring->num + 6);
}

void split_want_kicks(struct vring *ring, bool wanted)
{
	uint16_t flags = wanted ? 0 : VRING_USED_F_NO_NOTIFY;
	__atomic_store_n((uint16_t *)&ring->used->flags, flags, __ATOMIC_RELAXED);
}
