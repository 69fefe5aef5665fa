/* SPDX-License-Identifier: MIT */
/*
 * limits of ring: bounds the descriptor chains that a guest's driver offers. The size of a ring and
 * the regions of guest memory are bounded where the keeper sends them (protocol/keeper_link.h).
 */
#pragma once

#include "protocol/keeper_link.h"

/*
 * An indirect table has at most this many descriptors, which is what QEMU allows, too
 * (VIRTQUEUE_MAX_SIZE). A table in the ring has at most KEEPER_RING_SIZE_MAX. Past it the chain is
 * faulty: its command is not executed and is answered with an error.
 */
#define CHAIN_DESCRIPTORS_MAX 1024

/*
 * A chain has at most this many pieces of host memory: one for each descriptor, and one more for
 * each memory region that a descriptor may cross into. Past it the chain counts as one outside
 * guest memory: it waits once for a newer memory table, and is then answered with an error.
 */
#define CHAIN_PIECES_MAX (CHAIN_DESCRIPTORS_MAX + KEEPER_MEMORY_REGIONS_MAX)
