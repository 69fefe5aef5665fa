/* SPDX-License-Identifier: MIT */
/* climb_calls: what climbs are made of. All of it is async-signal-safe. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/climbs/climb.h"

#define CLIMB_GROUP(group_name, rows)                                                              \
	{                                                                                          \
		(group_name), (rows), sizeof(rows) / sizeof((rows)[0])                             \
	}

/* Where there is no such process, one that nobody has: 4 Mi is the most that Linux gives. */
#define CLIMB_NOBODY 0x3fffffff

/* Returns 0 or errno, as climbs do. */
static inline int climb_result(long result)
{
	return result < 0 ? errno : 0;
}

/* Closes what was opened. Returns 0 or errno. */
static inline int climb_opened(long fd)
{
	if (fd < 0)
		return errno;
	syscall(SYS_close, fd);
	return 0;
}

/* An error that comes from behind the check says that the check was passed. */
static inline int climb_passed(long result, int passed_errno)
{
	return result < 0 && errno != passed_errno ? errno : 0;
}

static inline long climb_open_fd(const char *path, int flags)
{
	return syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
}

static inline int climb_open(const char *path, int flags)
{
	return climb_opened(climb_open_fd(path, flags));
}

static inline int32_t climb_target(int32_t pid)
{
	return pid > 0 ? pid : CLIMB_NOBODY;
}

/* Copies as much of a text as fits, and a NUL. */
static inline void climb_copy(char *to, size_t size, const char *from)
{
	size_t n = strnlen(from, size - 1);
	memcpy(to, from, n);
	to[n] = '\0';
}

/* Writes DIR/NAME into `path`. Returns `path`. */
static inline char *climb_join(char path[2 * CLIMB_PATH], const char *dir, const char *name)
{
	climb_copy(path, CLIMB_PATH, dir);
	char *end = path + strlen(path);
	*end++ = '/';
	climb_copy(end, CLIMB_PATH - 1, name);
	return path;
}

/* Writes a number and a NUL. Returns the NUL's place. */
static inline char *climb_put_number(char *end, uint32_t number)
{
	char digits[16];
	char *at = digits + sizeof(digits) - 1;
	*at = '\0';
	do
		*--at = (char)('0' + number % 10);
	while (number /= 10);
	return stpcpy(end, at);
}

/* Writes /proc/PID/NAME into `path`. Returns `path`. */
static inline char *climb_proc(char path[2 * CLIMB_PATH], int32_t pid, const char *name)
{
	char *end = climb_put_number(stpcpy(path, "/proc/"), (uint32_t)climb_target(pid));
	*end++ = '/';
	stpcpy(end, name);
	return path;
}
