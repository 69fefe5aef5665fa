/* SPDX-License-Identifier: MIT */
/* memory: checks tables of guest memory. */
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "render/ring/memory.h"

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

static void test_lookup(void)
{
	struct memory *m = make_table();
	struct iovec iov[4];
	unsigned n = 0;
	/* There may be one piece or two, as the mappings may happen to lie side by side. */
	g_assert_true(memory_translate(m, 0x13800, PAGE, iov, &n, 4));
	g_assert_cmpuint(*(uint8_t *)iov[0].iov_base, ==, 11);
	if (n == 2) {
		g_assert_cmpuint(iov[0].iov_len, ==, PAGE / 2);
		g_assert_cmpuint(*(uint8_t *)iov[1].iov_base, ==, 0);
		n = 0;
		g_assert_false(memory_translate(m, 0x13800, PAGE, iov, &n, 1));
	} else {
		g_assert_cmpuint(((uint8_t *)iov[0].iov_base)[PAGE / 2], ==, 0);
	}
	n = 0;
	g_assert_false(memory_translate(m, 0x17fff, 2, iov, &n, 4));
	n = 0;
	g_assert_false(memory_translate(m, 0xffff, 2, iov, &n, 4));
	n = 0;
	g_assert_false(memory_translate(m, UINT64_MAX, 2, iov, &n, 4));
	/* Pieces that follow each other in host memory become one. */
	n = 0;
	g_assert_true(memory_translate(m, 0x10000, 16, iov, &n, 4));
	g_assert_true(memory_translate(m, 0x10010, 16, iov, &n, 4));
	g_assert_cmpuint(n, ==, 1);
	g_assert_nonnull(memory_at_user(m, 0x803fff, 1));
	g_assert_null(memory_at_user(m, 0x803fff, 2));
	g_assert_null(memory_at_user(m, 0x7fffff, 1));
	g_assert_null(memory_at_user(m, 0x800000, UINT64_MAX));
	memory_unref(m);
}

static void test_refused(void)
{
	struct memory *m = make_table();
	int fd = make_file(16 * PAGE);
	static const struct {
		uint64_t guest, user, size, offset;
	} bad[] = {
		{ 0x13fff, 0x100000, PAGE, 0 },         /* overlaps in guest memory */
		{ 0x50000, 0x800000 - 1, PAGE, 0 },     /* overlaps in QEMU */
		{ 0x50000, 0x100000, 0, 0 },            /* empty */
		{ UINT64_MAX - 10, 0x100000, PAGE, 0 }, /* wraps */
		{ 0x50000, UINT64_MAX - 10, PAGE, 0 },
		{ 0x50000, 0x100000, PAGE, UINT64_MAX - 10 },
		{ 0x50000, 0x100000, 17 * PAGE, 0 }, /* beyond the file: a SIGBUS */
		{ 0x50000, 0x100000, PAGE, 16 * PAGE },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_assert_false(add(m, bad[i].guest, bad[i].user, bad[i].size, bad[i].offset, fd));
	}
	close(fd);
	memory_unref(m);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* Refusals are warnings, which must not end a test that is about them. */
	g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
	g_test_add_func("/memory/lookup", test_lookup);
	g_test_add_func("/memory/refused", test_refused);
	return g_test_run();
}
