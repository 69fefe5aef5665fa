/* SPDX-License-Identifier: MIT */
/*
 * chain: holds one descriptor chain taken from a virtqueue: a command to read, and room for the
 * answer.
 *
 * A chain holds a reference on the memory table it was translated with, so it may be worked on for
 * as long as it takes. It belongs to the thread that took it until virtqueue_return(), which frees
 * it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "render/ring/limits.h"
#include "render/ring/memory.h"

struct vring_desc;

struct chain {
	uint16_t first_desc; /* of a packed ring: its id */
	uint32_t generation; /* of the ring when it was taken: answers from before a reset are
				dropped */
	/*
	 * It says what is wrong with the chain, or is NULL. Of a faulty chain only `writable` may
	 * be used, which may lack pieces.
	 */
	const char *fault;
	bool outside; /* the fault is memory that is not in the table: a newer one may have it */
	struct memory *memory;
	unsigned n_readable, n_writable;
	uint64_t readable_bytes, writable_bytes;
	struct iovec *readable, *writable; /* both point into pieces[] */
	struct iovec pieces[];
};

/*
 * Follows the descriptors from `first_desc` of a table in guest memory, indirect ones too, and
 * reads each once, since the guest may change it meanwhile. A fault is noted in the chain, which is
 * made all the same. The chain takes a reference on `memory`; the caller owns the chain. `scratch`
 * is only used during the call.
 */
struct chain *chain_create(struct memory *memory, const struct vring_desc *table,
	unsigned table_length, uint16_t first_desc, struct iovec scratch[CHAIN_PIECES_MAX]);

/*
 * The same of a command of a packed ring: `table` is a copy of its descriptors, all of which belong
 * to it, and a table behind an indirect one has no links (virtio 1.2, 2.8.7).
 */
struct chain *chain_create_packed(struct memory *memory, const struct vring_desc *table,
	unsigned table_length, uint16_t id, struct iovec scratch[CHAIN_PIECES_MAX]);

/*
 * Copies from the readable part. Returns how many bytes it copied, which are fewer when the chain
 * is shorter.
 */
size_t chain_read(const struct chain *chain, uint64_t offset_bytes, void *to, size_t size_bytes);
/* Copies to the start of the writable part. Returns how many bytes it copied. */
size_t chain_write(const struct chain *chain, const void *from, size_t size_bytes);
/* Marks the writable part in the log. */
void chain_mark(const struct chain *chain, struct dirty_log *log);
/* Drops the chain's reference on the memory table, and frees it. NULL is allowed. */
void chain_free(struct chain *chain);
