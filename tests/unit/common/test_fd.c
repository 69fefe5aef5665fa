/* SPDX-License-Identifier: MIT */
/*
 * fd: checks that a closed descriptor is forgotten, that the standard ones are filled where they
 * are closed, and that a wake is seen once, however often it was given.
 */
#include "common/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	return poll(&p, 1, 0) == 1;
}

static void test_close_forgets(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), number = fd;
	g_assert_cmpint(fd, >=, 0);
	fd_close(&fd);
	g_assert_cmpint(fd, ==, -1);
	g_assert_cmpint(fcntl(number, F_GETFD), ==, -1);
	fd_close(&fd);
	g_assert_cmpint(fd, ==, -1);
}

static void test_wakes_are_one(void)
{
	int fd = fd_create_wake();
	g_assert_cmpint(fd, >=, 0);
	g_assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	g_assert_false(is_readable(fd));
	g_assert_false(fd_drain(fd));
	g_assert_cmpint(fd_wake(fd), ==, 0);
	g_assert_cmpint(fd_wake(fd), ==, 0);
	g_assert_true(is_readable(fd));
	g_assert_true(fd_drain(fd));
	g_assert_false(is_readable(fd));
	fd_close(&fd);
}

/* A guest's call descriptor may be full, and nobody may wait for it. */
static void test_a_full_one_does_not_block(void)
{
	const uint64_t most = UINT64_MAX - 1;
	int fd = fd_create_wake();
	g_assert_cmpint(write(fd, &most, sizeof(most)), ==, sizeof(most));
	g_assert_cmpint(fd_wake(fd), ==, -EAGAIN);
	g_assert_true(is_readable(fd));
	fd_close(&fd);
	g_assert_cmpint(fd_wake(fd), ==, -EBADF);
}

/* The child has the standard descriptors of `mask` closed, and fills their places. */
static void test_standard_ones_are_filled(void)
{
	for (unsigned mask = 0; mask < 8; mask++) {
		pid_t pid = fork();
		if (pid == 0) {
			struct stat null, found;
			for (int fd = 0; fd < 3; fd++) {
				if (mask >> fd & 1)
					close(fd);
			}
			bool good = fd_fill_standard() == 0 && stat("/dev/null", &null) == 0;
			for (int fd = 0; fd < 3; fd++) {
				good = good && fstat(fd, &found) == 0 &&
				       !(fcntl(fd, F_GETFD) & FD_CLOEXEC);
				if (mask >> fd & 1)
					good = good && found.st_rdev == null.st_rdev;
			}
			_exit(good ? 0 : 1);
		}
		int status;
		g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
		g_assert_cmpint(status, ==, 0);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/fd/close-forgets", test_close_forgets);
	g_test_add_func("/fd/wakes-are-one", test_wakes_are_one);
	g_test_add_func("/fd/full-does-not-block", test_a_full_one_does_not_block);
	g_test_add_func("/fd/standard-ones-are-filled", test_standard_ones_are_filled);
	return g_test_run();
}
