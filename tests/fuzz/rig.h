/* SPDX-License-Identifier: MIT */
/*
 * rig: guest memory and one ring for the fuzz targets, in this process, without threads and without
 * kicks.
 */
#pragma once

#include <stdint.h>

#include "render/ring/memory.h"
#include "render/ring/virtqueue.h"

#define RIG_BYTES 65536u
#define RIG_GUEST_ADDR UINT64_C(0x100000)
#define RIG_USER_ADDR UINT64_C(0x7f0000000000)
#define RIG_RING_SIZE 16u
/* The ring lies at these offsets in the memory; what comes after is the targets'. */
#define RIG_DESC 0u
#define RIG_AVAIL 256u
#define RIG_USED 512u
#define RIG_FREE 1024u

struct rig {
	uint8_t *bytes; /* RIG_BYTES of guest memory */
	struct memory *memory;
};

/* Returns the memory, which is made once and lives as long as the process. */
struct rig *rig_get(void);
/* Starts a ring in that memory. The caller destroys it. */
struct virtqueue *rig_start_ring(struct rig *rig, uint64_t features);
/* Starts a ring that exists already anew, as rig_start_ring() does. */
void rig_restart_ring(struct rig *rig, struct virtqueue *vq, uint64_t features);
