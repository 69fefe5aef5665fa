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

static void test_copy_of_a_file(void)
{
	char *path = NULL;
	char byte;
	int file = g_file_open_tmp("vitrine-shm-XXXXXX", &path, NULL);
	g_assert_cmpint(write(file, "x", 1), ==, 1);
	int fd = shm_copy_file("test", path, 1);
	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(pwrite(file, "y", 1, 0), ==, 1);
	g_assert_cmpint(read(fd, &byte, 1), ==, 1);
	g_assert_cmpint(byte, ==, 'x');
	g_assert_cmpint(pwrite(fd, "y", 1, 0), ==, -1);
	g_assert_cmpint(ftruncate(fd, 0), ==, -1);
	close(fd);
	g_assert_cmpint(pwrite(file, "yz", 2, 0), ==, 2);
	g_assert_cmpint(shm_copy_file("test", path, 1), ==, -EFBIG);
	unlink(path);
	g_assert_cmpint(shm_copy_file("test", path, 1), ==, -ENOENT);
	g_assert_cmpint(shm_copy_file("test", "/", 1), ==, -EINVAL);
	g_assert_cmpint(shm_copy_file("test", "/dev/zero", 1), ==, -EINVAL);
	close(file);
	g_free(path);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/shm/round-trip", test_round_trip);
	g_test_add_func("/shm/cannot-shrink", test_cannot_shrink);
	g_test_add_func("/shm/refuses-unsealed", test_refuses_unsealed);
	g_test_add_func("/shm/refuses-short", test_refuses_short);
	g_test_add_func("/shm/refuses-no-memfd", test_refuses_no_memfd);
	g_test_add_func("/shm/copy-of-a-file", test_copy_of_a_file);
	return g_test_run();
}
