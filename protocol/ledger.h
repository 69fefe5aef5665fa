/* SPDX-License-Identifier: MIT */
/*
 * The guest ledger says what a renderer owes and owns. It lies in memory that outlives the
 * renderer.
 *
 * The keeper makes it as a memfd, and the renderer writes it. The keeper reads ring positions from
 * it when a renderer does not answer, and a new renderer reads it to go on where the dead one
 * stopped. Every reader trusts nothing: indices and counts are checked like a guest's.
 *
 * Rings. A chain is named by its first descriptor. `next_avail` is advanced when a chain is taken;
 * taken[first_desc] is set before that and cleared when the answer is in the used ring. A renderer
 * may die between the two stores, so used_index mirrors the used index after the last completed
 * return and `returning` names the chain whose return is under way: if the ring's used index has
 * moved past used_index, that chain was returned and only the ledger is behind (the scheme of
 * VHOST_USER_SET_INFLIGHT_FD).
 *
 * Of a packed ring a chain is named by its id; next_avail and used_index are places, with the wrap
 * counter in the highest bit (render/ring/packed.h). Its descriptors are copied into `saved` before
 * it counts as taken, since the ring may write over them while it is at work.
 *
 * Refusals. They name the programs that have crashed or hung renderers, whose new contexts a
 * renderer does not make for a while. The keeper writes them while no renderer exists, and a
 * renderer that forgets its guest removes them.
 *
 * Objects. Resources, contexts and scanouts are written after the object exists and removed before
 * it goes. Backing pages live in one arena of entries, handed out in order and compacted when full.
 */
#pragma once

#include <stdint.h>

#include "protocol/keeper_link.h"

#define LEDGER_MAGIC 0x5654524cu /* "VTRL" */
#define LEDGER_VERSION 4
#define LEDGER_RESOURCES_MAX 16384
#define LEDGER_CONTEXTS_MAX 1024
#define LEDGER_SCANOUTS_MAX 16
#define LEDGER_REFUSALS_MAX 32
/*
 * A context's debug name has this many bytes (virtio 1.2, 5.7.6.8, CTX_CREATE). It is padded with
 * NULs, and has none when it is full.
 */
#define LEDGER_NAME_BYTES 64
/*
 * All resources together have at most this many backing entries: enough for 2 GiB in pages of 4
 * KiB.
 */
#define LEDGER_BACKING_MAX (512u * 1024u)
/* In `returning` this says that no return is under way. */
#define LEDGER_NO_CHAIN 0xffffu

struct ledger_descriptor {
	uint64_t addr;
	uint32_t length_bytes;
	uint16_t flags;
	uint16_t next; /* in `saved` */
};

struct ledger_ring {
	uint16_t next_avail;
	uint16_t used_index;
	uint16_t returning; /* the first descriptor of a chain, or LEDGER_NO_CHAIN */
	uint16_t reserved;
	uint8_t taken[KEEPER_RING_SIZE_MAX]; /* by first descriptor: 1 while we have the chain */
	/* Of packed rings, by id: how many descriptors, and where the first one is in `saved`. */
	uint16_t n_saved[KEEPER_RING_SIZE_MAX], first_saved[KEEPER_RING_SIZE_MAX];
	struct ledger_descriptor saved[KEEPER_RING_SIZE_MAX];
};

struct ledger_backing {
	uint64_t guest_addr;
	uint32_t length_bytes;
	uint32_t reserved;
};

/* A slot whose id is 0 is free. The fields are those of RESOURCE_CREATE_2D and _3D. */
struct ledger_resource {
	uint32_t id;
	uint32_t is_3d;
	uint32_t target, format, bind;
	uint32_t width, height, depth, array_size, last_level, nr_samples, flags;
	uint32_t backing_first; /* index into the arena */
	uint32_t backing_count; /* 0: none attached */
};

/* A slot whose id is 0 is free. */
struct ledger_context {
	uint32_t id;
	uint32_t has_painted; /* 1: a head has shown a resource that was attached to it */
	char name[LEDGER_NAME_BYTES];
};

/* New contexts of this name are refused until until_ns. A slot whose until_ns is 0 is free. */
struct ledger_refusal {
	uint64_t until_ns; /* CLOCK_MONOTONIC */
	uint32_t any_name; /* 1: all new contexts, whatever their name */
	uint32_t reserved;
	char name[LEDGER_NAME_BYTES];
};

/* A scanout whose resource is 0 is off. */
struct ledger_scanout {
	uint32_t resource;
	uint32_t x, y, width, height;
};

struct ledger {
	uint32_t magic;
	uint32_t version;
	uint32_t backing_used; /* entries handed out */
	uint32_t overflowed;   /* something did not fit: not everything can be rebuilt */
	struct ledger_ring rings[KEEPER_RINGS];
	struct ledger_refusal refusals[LEDGER_REFUSALS_MAX];
	struct ledger_scanout scanouts[LEDGER_SCANOUTS_MAX];
	struct ledger_context contexts[LEDGER_CONTEXTS_MAX];
	struct ledger_resource resources[LEDGER_RESOURCES_MAX];
	struct ledger_backing backing[LEDGER_BACKING_MAX];
};
