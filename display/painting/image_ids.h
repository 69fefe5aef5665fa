/* SPDX-License-Identifier: MIT */
/*
 * image ids: gives small bitmaps numbers by what they show. A client that has got a bitmap before
 * draws it from its cache: a letter typed again takes 81 bytes instead of about 165.
 *
 * Bitmaps are told apart by the 64-bit hash of their pixels and size (strips_hash, which has a
 * secret). The chance that a bitmap has the hash of another one of its head is 8192 / 2^64. A guest
 * that knew the secret could bring that about, and would spoil its own screen, no more. Clients get
 * a number that is never used twice, not the hash: spice-html5 keeps 32 of an id's 64 bits. No two
 * heads share a number: the display channels of a client share one cache, and one channel should
 * not wait for what another one sends.
 *
 * spice-server and clients forget no number as long as the client has announced room
 * (pixmap-cache.h of spice-server), so numbers are bounded here (display/painting/limits.h). When
 * half of them are given away a bitmap gets one only the second time it is seen: an animation,
 * whose bitmaps are shown once, must not use up the rest. When nobody looks any more all numbers
 * are free again, since spice-server frees a client's cache with the client.
 *
 * Threads: none of its own; the worker thread of the head.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display/painting/bitmap.h"

/*
 * A table of this many places keeps the hashes of bitmaps that were seen once; a newer one
 * overwrites.
 */
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

/*
 * Says whether clients may keep the bitmap: then *id is its number. Only copies have one, and no
 * video.
 */
bool image_ids_find(struct image_ids *ids, const struct bitmap *bitmap, uint64_t *id);

/* Forgets all bitmaps: no client has a cache any more. */
void image_ids_clear(struct image_ids *ids);
