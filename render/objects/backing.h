/* SPDX-License-Identifier: MIT */
/*
 * backing: translates the guest pages behind a resource to host addresses.
 *
 * A backing never changes once it is made. It keeps the memory table that it was translated with,
 * so its addresses stay good when the guest's memory map changes. Only the gpu thread uses it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "protocol/ledger.h"
#include "render/objects/limits.h"
#include "render/ring/memory.h"

struct backing {
	struct memory *memory;
	uint64_t size_bytes;
	uint32_t n_entries; /* that the guest gave */
	unsigned n_pieces;
	struct iovec *pieces;
	uint64_t *starts; /* where in the backing each piece begins */
};

/*
 * Translates the entries. Returns NULL when one lies outside guest memory, there are too many, or
 * all are empty. Takes a reference on `memory`.
 */
struct backing *backing_create(
	struct memory *memory, const struct ledger_backing *entries, uint32_t n_entries);
void backing_destroy(struct backing *backing); /* NULL is allowed */

/*
 * Reads rows of row_bytes, the first at offset_bytes, each stride_bytes after the one before, into
 * `to` with to_stride bytes a row. The caller has checked that all of them lie inside size_bytes.
 */
void backing_read_rows(const struct backing *backing, uint64_t offset_bytes, uint64_t stride_bytes,
	uint32_t n_rows, uint32_t row_bytes, uint8_t *to, uint64_t to_stride);
