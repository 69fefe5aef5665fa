/* SPDX-License-Identifier: MIT */
/* keymap: checks that scan codes become QEMU key numbers, byte by byte. */
#include "display/qemu/keymap.h"

#include <glib.h>

struct row {
	const char *name;
	uint8_t bytes[4];
	unsigned n_bytes;
	uint32_t key;
	bool down;
};

static const struct row rows[] = {
	{ "a down", { 0x1e }, 1, 0x1e, true },
	{ "a up", { 0x9e }, 1, 0x1e, false },
	{ "arrow up down", { 0xe0, 0x48 }, 2, 0xc8, true },
	{ "arrow up up", { 0xe0, 0xc8 }, 2, 0xc8, false },
	{ "keypad 8", { 0x48 }, 1, 0x48, true },
	{ "right control", { 0xe0, 0x1d }, 2, 0x9d, true },
	{ "pause down", { 0xe1, 0x1d, 0x45 }, 3, 0xc6, true },
	{ "pause up", { 0xe1, 0x9d, 0xc5 }, 3, 0xc6, false },
	{ "num lock after pause", { 0x45 }, 1, 0x45, true },
};

static void test_table(void)
{
	struct keymap keymap = { 0 };
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct row *row = &rows[i];
		uint32_t key = 0;
		bool down = false;
		g_test_message("%s", row->name);
		for (unsigned b = 0; b < row->n_bytes; b++)
			g_assert_cmpint(keymap_feed(&keymap, row->bytes[b], &key, &down), ==,
				b == row->n_bytes - 1);
		g_assert_cmphex(key, ==, row->key);
		g_assert_cmpint(down, ==, row->down);
	}
}

static void test_any_bytes(void)
{
	struct keymap keymap = { 0 };
	g_autoptr(GRand) random = g_rand_new_with_seed(1);
	for (unsigned i = 0; i < 100000; i++) {
		uint32_t key;
		bool down;
		if (keymap_feed(&keymap, (uint8_t)g_rand_int(random), &key, &down))
			g_assert_cmpuint(key, <, KEYMAP_KEYS);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/keymap/table", test_table);
	g_test_add_func("/keymap/any-bytes", test_any_bytes);
	return g_test_run();
}
