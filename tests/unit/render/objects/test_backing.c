/* SPDX-License-Identifier: MIT */
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "render/objects/backing.h"

#define PAGE 4096

static int make_file(size_t size_bytes)
{
	int fd = memfd_create("guest", 0);
	g_assert_cmpint(ftruncate(fd, (off_t)size_bytes), ==, 0);
	uint8_t page[PAGE];
	for (size_t at = 0; at < size_bytes; at += PAGE) {
		memset(page, (int)(at / PAGE), sizeof(page));
		g_assert_cmpint(pwrite(fd, page, sizeof(page), (off_t)at), ==, PAGE);
	}
	return fd;
}

static bool add(
	struct memory *m, uint64_t guest, uint64_t user, uint64_t size, uint64_t offset, int fd)
{
	struct keeper_memory_region r = {
		.guest_addr = guest, .user_addr = user, .size_bytes = size, .offset_bytes = offset
	};
	return memory_add_region(m, &r, fd);
}

/*
 * Returns a table of two regions that touch in guest memory and lie in the other order in the file.
 */
static struct memory *make_table(void)
{
	struct memory *m = memory_create();
	int fd = make_file(16 * PAGE);
	g_assert_true(add(m, 0x14000, 0x900000, 4 * PAGE, 0, fd));
	g_assert_true(add(m, 0x10000, 0x800000, 4 * PAGE, 8 * PAGE, fd));
	close(fd);
	return m;
}

static void test_backing(void)
{
	struct memory *m = make_table();
	uint8_t rows[4][8];
	struct ledger_backing entries[] = { { 0x10000, PAGE, 0 }, { 0x16000, PAGE, 0 },
		{ 0x12000, PAGE, 0 } };
	struct backing *b = backing_create(m, entries, G_N_ELEMENTS(entries));
	memory_unref(m); /* the backing has its own */
	g_assert_cmpuint(b->size_bytes, ==, 3 * PAGE);
	/* Rows begin in each of the three pieces, and the second crosses a border. */
	backing_read_rows(b, PAGE - 4 - PAGE / 2, PAGE / 2, 4, 8, rows[0], 8);
	g_assert_cmpuint(rows[0][0], ==, 8);
	g_assert_cmpuint(rows[1][3], ==, 8);
	g_assert_cmpuint(rows[1][4], ==, 2);
	g_assert_cmpuint(rows[2][0], ==, 2);
	g_assert_cmpuint(rows[3][3], ==, 2);
	g_assert_cmpuint(rows[3][4], ==, 10);
	backing_destroy(b);
	m = make_table();
	entries[1].guest_addr = 0x18000;
	g_assert_null(backing_create(m, entries, G_N_ELEMENTS(entries)));
	entries[0].length_bytes = 0;
	g_assert_null(backing_create(m, entries, 1));
	memory_unref(m);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/backing/rows", test_backing);
	return g_test_run();
}
