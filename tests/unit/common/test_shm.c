/* SPDX-License-Identifier: MIT */
/*
 * shm: checks that what is made can be mapped, and that what could be shrunk under the reader
 * cannot.
 */
#include "common/shm.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void test_round_trip(void)
{
	int fd = shm_create("test", 10000);
	g_assert_cmpint(fd, >=, 0);
	char *writer = shm_map(fd, 10000, true);
	char *reader = shm_map(fd, 10000, false);
	g_assert_nonnull(writer);
	g_assert_nonnull(reader);
	writer[9999] = 42;
	g_assert_cmpint(reader[9999], ==, 42);
	shm_unmap(writer, 10000);
	shm_unmap(reader, 10000);
	close(fd);
}

static void test_cannot_shrink(void)
{
	int fd = shm_create("test", 8192);
	g_assert_cmpint(ftruncate(fd, 1), ==, -1);
	g_assert_cmpint(errno, ==, EPERM);
	close(fd);
}

static void test_refuses_unsealed(void)
{
	int fd = memfd_create("plain", MFD_ALLOW_SEALING);
	g_assert_cmpint(ftruncate(fd, 8192), ==, 0);
	g_assert_null(shm_map(fd, 8192, false));
	g_assert_cmpint(errno, ==, EPERM);
	close(fd);
}

static void test_refuses_short(void)
{
	int fd = shm_create("test", 4096);
	g_assert_null(shm_map(fd, 4097, false));
	g_assert_cmpint(errno, ==, EINVAL);
	g_assert_null(shm_map(fd, 0, false));
	close(fd);
}

static void test_refuses_no_memfd(void)
{
	int fds[2];
	g_assert_cmpint(pipe(fds), ==, 0);
	g_assert_null(shm_map(fds[0], 4096, false));
	close(fds[0]);
	close(fds[1]);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/shm/round-trip", test_round_trip);
	g_test_add_func("/shm/cannot-shrink", test_cannot_shrink);
	g_test_add_func("/shm/refuses-unsealed", test_refuses_unsealed);
	g_test_add_func("/shm/refuses-short", test_refuses_short);
	g_test_add_func("/shm/refuses-no-memfd", test_refuses_no_memfd);
	return g_test_run();
}
