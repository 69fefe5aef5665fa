/* SPDX-License-Identifier: MIT */
/*
 * memory: maps the guest's memory as the keeper described it.
 *
 * A table is built from memory regions, one by one, then shared and never changed again: any thread
 * may look up in it while holding a reference. A new table replaces the old one as a whole; the old
 * one stays mapped until its last user (a chain being worked on, a backing) lets go.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "protocol/keeper_link.h"
#include "render/ring/dirty_log.h"

struct memory;

/* Makes an empty table, of which the caller has the one reference. */
struct memory *memory_create(void);
/*
 * Maps one memory region. The descriptor stays the caller's. Returns false, which is logged, when
 * the table is full, or the region overlaps another, wraps around, or reaches beyond the end of the
 * file behind fd.
 */
bool memory_add_region(struct memory *memory, const struct keeper_memory_region *region, int fd);

struct memory *memory_ref(struct memory *memory);
void memory_unref(struct memory *memory); /* NULL is allowed */

/*
 * Returns the host address of `size_bytes` at an address in QEMU's own memory, or NULL unless one
 * region holds all of it.
 */
void *memory_at_user(const struct memory *memory, uint64_t user_addr, uint64_t size_bytes);

/* Returns whether nothing has ever been written there, as far as can be seen. */
bool memory_is_zero(const void *host, uint64_t size_bytes);
/* Marks in the log what was written to, which is memory of this table. */
void memory_mark(
	const struct memory *memory, struct dirty_log *log, const void *host, uint64_t size_bytes);

/*
 * Translates a guest-physical range and appends it to `iov`. The range may cross regions that
 * touch; neighbours in host memory are joined with the last entry of `iov`. Returns false when any
 * byte lies outside guest memory or more than `max` entries would be needed; `iov` and `*n_iov` are
 * then unspecified.
 */
bool memory_translate(const struct memory *memory, uint64_t guest_addr, uint64_t size_bytes,
	struct iovec *iov, unsigned *n_iov, unsigned max);
