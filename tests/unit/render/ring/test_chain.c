/* SPDX-License-Identifier: MIT */
/*
 * chain: checks chains as a guest may write them, and which of their faults a newer memory table
 * may cure.
 */
#include <glib.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "render/ring/chain.h"
#include "tests/unit/render/guest.h"

#define OUTSIDE (GUEST_ADDR + GUEST_BYTES)
#define TABLE_LENGTH 8u
#define NEXT VRING_DESC_F_NEXT
#define WRITE VRING_DESC_F_WRITE
#define INDIRECT VRING_DESC_F_INDIRECT
#define DESC_BYTES ((uint32_t)sizeof(struct vring_desc))
#define INDIRECT_ADDR (GUEST_DATA_ADDR + 4096)

struct row {
	const char *name;
	struct vring_desc table[3], indirect[2];
	bool fault, outside;
	unsigned readable_bytes, writable_bytes;
};

static const struct row rows[] = {
	{ "plain", { { GUEST_DATA_ADDR, 10, NEXT, 1 }, { GUEST_DATA_ADDR, 20, WRITE, 0 } },
		.readable_bytes = 10, .writable_bytes = 20 },
	{ "two-parts", { { GUEST_DATA_ADDR, 10, NEXT, 2 }, { 0 }, { GUEST_DATA_ADDR, 5, 0, 0 } },
		.readable_bytes = 15 },
	{ "empty", { { GUEST_DATA_ADDR, 0, 0, 0 } } },
	{ "outside", { { OUTSIDE, 10, NEXT, 1 }, { GUEST_DATA_ADDR, 20, WRITE, 0 } }, .fault = true,
		.outside = true, .writable_bytes = 20 },
	{ "half-outside", { { OUTSIDE - 1, 2, 0, 0 } }, .fault = true, .outside = true },
	{ "answer-outside", { { GUEST_DATA_ADDR, 10, NEXT, 1 }, { OUTSIDE, 20, WRITE, 0 } },
		.fault = true, .outside = true, .readable_bytes = 10 },
	{ "loop", { { GUEST_DATA_ADDR, 0, NEXT, 0 } }, .fault = true },
	{ "loop-outside", { { OUTSIDE, 1, NEXT, 0 } }, .fault = true, .outside = true },
	{ "beyond-the-table", { { GUEST_DATA_ADDR, 1, NEXT, TABLE_LENGTH } }, .fault = true,
		.readable_bytes = 1 },
	{ "read-after-write",
		{ { GUEST_DATA_ADDR, 1, WRITE | NEXT, 1 }, { GUEST_DATA_ADDR, 1, 0, 0 } },
		.fault = true, .writable_bytes = 1 },
	{ "indirect", { { INDIRECT_ADDR, 2 * DESC_BYTES, INDIRECT, 0 } },
		{ { GUEST_DATA_ADDR, 7, NEXT, 1 }, { GUEST_DATA_ADDR, 9, WRITE, 0 } },
		.readable_bytes = 7, .writable_bytes = 9 },
	{ "indirect-outside", { { OUTSIDE, DESC_BYTES, INDIRECT, 0 } }, .fault = true,
		.outside = true },
	{ "indirect-in-indirect", { { INDIRECT_ADDR, DESC_BYTES, INDIRECT, 0 } },
		{ { INDIRECT_ADDR, DESC_BYTES, INDIRECT, 0 } }, .fault = true },
	{ "indirect-odd", { { INDIRECT_ADDR, DESC_BYTES + 1, INDIRECT, 0 } }, .fault = true },
	{ "indirect-unaligned", { { INDIRECT_ADDR + 4, DESC_BYTES, INDIRECT, 0 } }, .fault = true },
	{ "indirect-and-next", { { INDIRECT_ADDR, DESC_BYTES, INDIRECT | NEXT, 1 } },
		.fault = true },
};

static void test_row(gconstpointer data)
{
	const struct row *row = data;
	struct guest guest;
	struct iovec scratch[CHAIN_PIECES_MAX];
	guest_init(&guest);
	struct memory *memory = guest_make_table(&guest, GUEST_ADDR);
	struct vring_desc *table = guest_at(&guest, GUEST_ADDR);
	memcpy(table, row->table, sizeof(row->table));
	memcpy(guest_at(&guest, INDIRECT_ADDR), row->indirect, sizeof(row->indirect));
	struct chain *chain = chain_create(memory, table, TABLE_LENGTH, 0, scratch);
	memory_unref(memory);
	g_assert_true((chain->fault != NULL) == row->fault);
	g_assert_true(chain->outside == row->outside);
	g_assert_cmpuint(chain->readable_bytes, ==, row->readable_bytes);
	g_assert_cmpuint(chain->writable_bytes, ==, row->writable_bytes);
	chain_free(chain);
	guest_finish(&guest);
}

static void test_copies(void)
{
	struct guest guest;
	struct iovec scratch[CHAIN_PIECES_MAX];
	char text[16] = "";
	guest_init(&guest);
	struct memory *memory = guest_make_table(&guest, GUEST_ADDR);
	struct vring_desc *table = guest_at(&guest, GUEST_ADDR);
	table[0] = (struct vring_desc){ GUEST_DATA_ADDR, 3, NEXT, 1 };
	table[1] = (struct vring_desc){ GUEST_DATA_ADDR + 100, 3, NEXT, 2 };
	table[2] = (struct vring_desc){ GUEST_DATA_ADDR + 200, 4, WRITE | NEXT, 3 };
	table[3] = (struct vring_desc){ GUEST_DATA_ADDR + 300, 4, WRITE, 0 };
	memcpy(guest_at(&guest, GUEST_DATA_ADDR), "abc", 3);
	memcpy(guest_at(&guest, GUEST_DATA_ADDR + 100), "def", 3);
	struct chain *chain = chain_create(memory, table, TABLE_LENGTH, 0, scratch);
	memory_unref(memory);
	g_assert_cmpuint(chain_read(chain, 2, text, sizeof(text)), ==, 4);
	g_assert_cmpstr(text, ==, "cdef");
	g_assert_cmpuint(chain_read(chain, 6, text, sizeof(text)), ==, 0);
	g_assert_cmpuint(chain_write(chain, "0123456789", 10), ==, 8);
	g_assert_cmpmem(guest_at(&guest, GUEST_DATA_ADDR + 300), 5, "4567", 5);
	chain_free(chain);
	guest_finish(&guest);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *name = g_strdup_printf("/chain/%s", rows[i].name);
		g_test_add_data_func(name, &rows[i], test_row);
	}
	g_test_add_func("/chain/copies", test_copies);
	return g_test_run();
}
