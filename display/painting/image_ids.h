/* SPDX-License-Identifier: MIT */
/*
 * image_ids: numbers for small pictures by what they show, so that a client which has got one
 * before draws it from its cache: 81 bytes instead of about 165 for a letter typed again.
 *
 * Pictures are told apart by the 64-bit hash of their pixels and size, with the secret of tiles.h.
 * That a picture meets one of the IMAGE_IDS_MAX of a head that is another has a likelihood of 5 *
 * 10^-16; a guest that knew the secret could craft that, and would spoil its own screen with it, no
 * more. What clients get is a number, never used twice: spice-html5 keeps 32 of an id's 64 bits.
 * Numbers are of one head: its clients' display channels share one cache, and one should not wait
 * for what another sends.
 *
 * spice-server keeps about 80 bytes and clients the pixels of each number, as long as the client
 * has announced room (its pixmap-cache.h); it forgets none before, so they are bounded here. When
 * half of them are given away a picture gets one only the second time it is seen: what is shown
 * once, as an animation, must not use up the rest. Room comes back when nobody looks any more:
 * spice-server frees a client's cache with the client.
 *
 * Threads: none of its own; the worker thread of the head.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display/painting/bitmap.h"

#define IMAGE_IDS_MAX 8192u
#define IMAGE_IDS_PIXELS_MAX 1024u
/* spice-server ends the process at a cached picture of a higher channel: MAX_CACHE_CLIENTS,
 * pixmap-cache.h. */
#define IMAGE_IDS_HEADS 4u
/* Pictures that were seen once. */
#define IMAGE_IDS_SEEN 1024u

struct image_id {
	uint64_t hash; /* 0: free */
	uint64_t number;
};

struct image_ids {
	unsigned head, n;
	uint64_t last;          /* number given */
	struct image_id *given; /* 2 * IMAGE_IDS_MAX, open addressing; NULL while there are none */
	uint64_t seen[IMAGE_IDS_SEEN];
};

/* True when clients may keep it: then *id is its number. Only copies that do not move have one. */
bool image_ids_find(struct image_ids *ids, const struct bitmap *picture, uint64_t *id);

/* Nobody has a cache any more. */
void image_ids_clear(struct image_ids *ids);
