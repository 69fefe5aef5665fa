/* SPDX-License-Identifier: MIT */
#include "render/ring/chain.h"

#include <glib.h>
#include <linux/virtio_ring.h>
#include <string.h>

/* ---- making one ---- */

struct walk {
	const struct memory *memory;
	struct iovec *pieces;
	unsigned n_readable, n_writable;
	uint64_t readable_bytes, writable_bytes;
	const char *fault;
	bool outside;
	bool packed; /* tables behind an indirect descriptor are of a packed ring */
};

/* Reads each field once, since the guest may change it at any time. */
static struct vring_desc read_descriptor(const struct vring_desc *table, unsigned index)
{
	const uint64_t *words = (const uint64_t *)&table[index];
	uint64_t addr = __atomic_load_n(&words[0], __ATOMIC_RELAXED);
	uint64_t rest = __atomic_load_n(&words[1], __ATOMIC_RELAXED);
	return (struct vring_desc){ .addr = addr,
		.len = (uint32_t)rest,
		.flags = (uint16_t)(rest >> 32),
		.next = (uint16_t)(rest >> 48) };
}

static void walk_fault(struct walk *walk, const char *fault)
{
	if (!walk->fault)
		walk->fault = fault;
}

static void walk_outside(struct walk *walk, const char *fault)
{
	walk->outside = walk->outside || !walk->fault;
	walk_fault(walk, fault);
}

static void walk_buffer(struct walk *walk, const struct vring_desc *desc)
{
	bool writable = desc->flags & VRING_DESC_F_WRITE;
	if (!writable && walk->n_writable > 0) {
		walk_fault(walk, "readable part after the writable one");
		return;
	}
	struct iovec *pieces = writable ? walk->pieces + walk->n_readable : walk->pieces;
	unsigned *n = writable ? &walk->n_writable : &walk->n_readable;
	unsigned before = *n;
	unsigned max = CHAIN_PIECES_MAX - (writable ? walk->n_readable : 0);
	if (!memory_translate(walk->memory, desc->addr, desc->len, pieces, n, max)) {
		*n = before;
		walk_outside(walk, "descriptor outside guest memory");
		return;
	}
	*(writable ? &walk->writable_bytes : &walk->readable_bytes) += desc->len;
}

static void walk_table(struct walk *walk, const struct vring_desc *table, unsigned table_length,
	unsigned index, bool indirect);

/* Each descriptor is read once. What it says of others has no meaning here. */
static void walk_packed_table(
	struct walk *walk, const struct vring_packed_desc *table, unsigned table_length)
{
	for (unsigned i = 0; i < table_length && !walk->fault; i++) {
		const uint64_t *words = (const uint64_t *)&table[i];
		uint64_t rest = __atomic_load_n(&words[1], __ATOMIC_RELAXED);
		struct vring_desc desc = { .addr = __atomic_load_n(&words[0], __ATOMIC_RELAXED),
			.len = (uint32_t)rest,
			.flags = (uint16_t)(rest >> 48) };
		if (desc.flags & VRING_DESC_F_INDIRECT)
			walk_fault(walk, "misplaced indirect descriptor");
		else
			walk_buffer(walk, &desc);
	}
}

/* Reads an indirect table where it lies; it must be in one piece of host memory. */
static void walk_indirect(struct walk *walk, const struct vring_desc *desc)
{
	unsigned n_tables = 0;
	struct iovec table;
	if (desc->len == 0 || desc->len % sizeof(struct vring_desc) ||
		desc->len > CHAIN_DESCRIPTORS_MAX * sizeof(struct vring_desc))
		walk_fault(walk, "indirect table of a bad size");
	else if (!memory_translate(walk->memory, desc->addr, desc->len, &table, &n_tables, 1))
		walk_outside(walk, "indirect table outside guest memory");
	else if ((uintptr_t)table.iov_base & 7)
		walk_fault(walk, "indirect table not aligned");
	else if (walk->packed)
		walk_packed_table(walk, table.iov_base, desc->len / sizeof(struct vring_desc));
	else
		walk_table(walk, table.iov_base, desc->len / sizeof(struct vring_desc), 0, true);
}

static void walk_table(struct walk *walk, const struct vring_desc *table, unsigned table_length,
	unsigned index, bool indirect)
{
	for (unsigned seen = 0; seen < table_length; seen++) {
		struct vring_desc desc = read_descriptor(table, index);
		if (desc.flags & VRING_DESC_F_INDIRECT) {
			if (indirect || (desc.flags & VRING_DESC_F_NEXT)) {
				walk_fault(walk, "misplaced indirect descriptor");
				return;
			}
			walk_indirect(walk, &desc);
			return;
		}
		walk_buffer(walk, &desc);
		if (!(desc.flags & VRING_DESC_F_NEXT))
			return;
		if (desc.next >= table_length) {
			walk_fault(walk, "next descriptor beyond the table");
			return;
		}
		index = desc.next;
	}
	walk_fault(walk, "descriptors in a loop");
}

static inline struct chain *make_chain(
	struct memory *memory, const struct walk *walk, uint16_t name)
{
	unsigned n_pieces = walk->n_readable + walk->n_writable;
	struct chain *chain = g_malloc(sizeof(*chain) + n_pieces * sizeof(struct iovec));
	*chain = (struct chain){ .first_desc = name,
		.fault = walk->fault,
		.outside = walk->outside,
		.memory = memory_ref(memory),
		.n_readable = walk->n_readable,
		.n_writable = walk->n_writable,
		.readable_bytes = walk->readable_bytes,
		.writable_bytes = walk->writable_bytes };
	memcpy(chain->pieces, walk->pieces, n_pieces * sizeof(struct iovec));
	chain->readable = chain->pieces;
	chain->writable = chain->pieces + walk->n_readable;
	return chain;
}

struct chain *chain_create(struct memory *memory, const struct vring_desc *table,
	unsigned table_length, uint16_t first_desc, struct iovec scratch[CHAIN_PIECES_MAX])
{
	struct walk walk = { .memory = memory, .pieces = scratch };
	g_assert(memory && first_desc < table_length);
	walk_table(&walk, table, table_length, first_desc, false);
	return make_chain(memory, &walk, first_desc);
}

struct chain *chain_create_packed(struct memory *memory, const struct vring_desc *table,
	unsigned table_length, uint16_t id, struct iovec scratch[CHAIN_PIECES_MAX])
{
	struct walk walk = { .memory = memory, .pieces = scratch, .packed = true };
	g_assert(memory && table_length > 0);
	walk_table(&walk, table, table_length, 0, false);
	return make_chain(memory, &walk, id);
}

/* ---- using it ---- */

size_t chain_read(const struct chain *chain, uint64_t offset_bytes, void *to, size_t size_bytes)
{
	size_t done = 0;
	for (unsigned i = 0; i < chain->n_readable && done < size_bytes; i++) {
		const struct iovec *piece = &chain->readable[i];
		if (offset_bytes >= piece->iov_len) {
			offset_bytes -= piece->iov_len;
			continue;
		}
		size_t part = MIN(piece->iov_len - offset_bytes, size_bytes - done);
		memcpy((uint8_t *)to + done, (const uint8_t *)piece->iov_base + offset_bytes, part);
		done += part;
		offset_bytes = 0;
	}
	return done;
}

size_t chain_write(const struct chain *chain, const void *from, size_t size_bytes)
{
	size_t done = 0;
	for (unsigned i = 0; i < chain->n_writable && done < size_bytes; i++) {
		const struct iovec *piece = &chain->writable[i];
		size_t part = MIN(piece->iov_len, size_bytes - done);
		memcpy(piece->iov_base, (const uint8_t *)from + done, part);
		done += part;
	}
	return done;
}

void chain_mark(const struct chain *chain, struct dirty_log *log)
{
	for (unsigned i = 0; i < chain->n_writable; i++)
		memory_mark(chain->memory, log, chain->writable[i].iov_base,
			chain->writable[i].iov_len);
}

void chain_free(struct chain *chain)
{
	if (!chain)
		return;
	memory_unref(chain->memory);
	g_free(chain);
}
