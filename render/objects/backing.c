/* SPDX-License-Identifier: MIT */
#include "render/objects/backing.h"

#include <glib.h>
#include <string.h>

static bool translate_all(struct backing *backing, const struct ledger_backing *entries,
	uint32_t n_entries, unsigned max)
{
	for (uint32_t i = 0; i < n_entries; i++) {
		if (!memory_translate(backing->memory, entries[i].guest_addr,
			    entries[i].length_bytes, backing->pieces, &backing->n_pieces, max))
			return false;
	}
	return true;
}

static void index_pieces(struct backing *backing)
{
	backing->pieces = g_renew(struct iovec, backing->pieces, MAX(backing->n_pieces, 1));
	backing->starts = g_new(uint64_t, MAX(backing->n_pieces, 1));
	for (unsigned i = 0; i < backing->n_pieces; i++) {
		backing->starts[i] = backing->size_bytes;
		backing->size_bytes += backing->pieces[i].iov_len;
	}
}

struct backing *backing_create(
	struct memory *memory, const struct ledger_backing *entries, uint32_t n_entries)
{
	g_assert(memory);
	if (n_entries > BACKING_ENTRIES_MAX)
		return NULL;
	/* An entry may cross from one memory region to the next. */
	unsigned max = n_entries + KEEPER_MEMORY_REGIONS_MAX;
	struct backing *backing = g_new0(struct backing, 1);
	backing->memory = memory_ref(memory);
	backing->n_entries = n_entries;
	backing->pieces = g_new(struct iovec, max);
	if (!translate_all(backing, entries, n_entries, max)) {
		backing_destroy(backing);
		return NULL;
	}
	index_pieces(backing);
	/* virglrenderer cannot tell an empty backing from none. */
	if (backing->size_bytes == 0) {
		backing_destroy(backing);
		return NULL;
	}
	return backing;
}

void backing_destroy(struct backing *backing)
{
	if (!backing)
		return;
	g_free(backing->pieces);
	g_free(backing->starts);
	memory_unref(backing->memory);
	g_free(backing);
}

static unsigned find_piece(const struct backing *backing, uint64_t offset_bytes)
{
	unsigned low = 0, high = backing->n_pieces;
	while (high - low > 1) {
		unsigned middle = (low + high) / 2;
		if (backing->starts[middle] <= offset_bytes)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static void read_at(const struct backing *backing, unsigned *piece, uint64_t offset_bytes,
	uint8_t *to, uint64_t size_bytes)
{
	while (size_bytes > 0) {
		const struct iovec *p = &backing->pieces[*piece];
		uint64_t into = offset_bytes - backing->starts[*piece];
		if (into >= p->iov_len) {
			(*piece)++;
			continue;
		}
		uint64_t part = MIN(size_bytes, p->iov_len - into);
		memcpy(to, (const uint8_t *)p->iov_base + into, part);
		to += part;
		offset_bytes += part;
		size_bytes -= part;
	}
}

void backing_read_rows(const struct backing *backing, uint64_t offset_bytes, uint64_t stride_bytes,
	uint32_t n_rows, uint32_t row_bytes, uint8_t *to, uint64_t to_stride)
{
	if (n_rows == 0 || row_bytes == 0)
		return;
	g_assert(offset_bytes <= backing->size_bytes &&
		 stride_bytes * (n_rows - 1) + row_bytes <= backing->size_bytes - offset_bytes);
	unsigned piece = find_piece(backing, offset_bytes);
	if (row_bytes == stride_bytes && row_bytes == to_stride) {
		read_at(backing, &piece, offset_bytes, to, (uint64_t)row_bytes * n_rows);
		return;
	}
	for (uint32_t row = 0; row < n_rows; row++) {
		read_at(backing, &piece, offset_bytes, to, row_bytes);
		offset_bytes += stride_bytes;
		to += to_stride;
	}
}
