/* SPDX-License-Identifier: MIT */
/*
 * guest_memory: the memory of a guest that does not exist.
 *
 * It consists of memfd regions that differ in guest-physical address, in QEMU's user address (a
 * number here; no mapping of ours lies there) and in the offset in their descriptor, so that a
 * backend which takes one for another fails. Blocks come in powers of two and are aligned to their
 * size.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_PAGE_SIZE 4096u
#define GUEST_MEMORY_REGIONS_MAX 16
#define GUEST_MEMORY_CLASSES 40

enum guest_memory_layout {
	GUEST_MEMORY_ONE,    /* one region at guest address 0 */
	GUEST_MEMORY_SPREAD, /* three: low, above 4 GiB from the same descriptor, one of its own */
};

struct guest_memory_region {
	bool present;
	int fd;
	uint64_t guest_addr, user_addr, size_bytes, offset_bytes;
	uint8_t *host;       /* of guest_addr */
	uint64_t used_bytes; /* handed out */
};

struct guest_memory {
	struct guest_memory_region regions[GUEST_MEMORY_REGIONS_MAX];
	void *free_blocks[GUEST_MEMORY_REGIONS_MAX][GUEST_MEMORY_CLASSES]; /* GArray of uint64_t */
	unsigned next_region; /* where the next scattered page comes from */
};

struct guest_memory *guest_memory_create(enum guest_memory_layout layout, uint64_t size_bytes);
void guest_memory_destroy(struct guest_memory *memory);

/* Adds a region; returns its index. */
unsigned guest_memory_add_region(
	struct guest_memory *memory, uint64_t guest_addr, uint64_t user_addr, uint64_t size_bytes);
/* Removes a region. Its blocks must not be used any more. */
void guest_memory_remove_region(struct guest_memory *memory, unsigned region);

/*
 * Both return the guest address of a zeroed block, in the first region with room or in the one
 * named. They abort the test when there is none.
 */
uint64_t guest_memory_alloc(struct guest_memory *memory, size_t size_bytes);
uint64_t guest_memory_alloc_in(struct guest_memory *memory, unsigned region, size_t size_bytes);
/*
 * Takes a block from the regions in turn, so that successive blocks are not neighbours in guest
 * memory.
 */
uint64_t guest_memory_alloc_scattered(struct guest_memory *memory, size_t size_bytes);
void guest_memory_free(struct guest_memory *memory, uint64_t guest_addr, size_t size_bytes);

/* Returns our mapping of a range; aborts the test when the range is not inside one region. */
void *guest_memory_at(const struct guest_memory *memory, uint64_t guest_addr, size_t size_bytes);
uint64_t guest_memory_user_addr(const struct guest_memory *memory, uint64_t guest_addr);
