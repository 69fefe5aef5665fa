/* SPDX-License-Identifier: MIT */
/*
 * memory_limit: checks the limit behind the quotas: how large it is, and what the kernel counts
 * towards it.
 */
#include <fcntl.h>
#include <glib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "render/memory_limit.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

static struct quota_limits initial(void)
{
	struct quota_limits limits;
	quotas_set_initial(&limits);
	return limits;
}

static void test_compute(void)
{
	struct quota_limits limits = initial();
	/*
	 * These are 4 GiB of textures, 1 GiB of pictures and 1 GiB of everything else, and 4 GiB of
	 * addresses that programs have left behind.
	 */
	g_assert_cmpuint(memory_limit_compute(&limits, 0), ==, 10 * GIB);
	g_assert_cmpuint(memory_limit_compute(&limits, 192 * MIB), ==, 10 * GIB);
	g_assert_cmpuint(memory_limit_compute(&limits, 193 * MIB), ==, 10 * GIB + MIB);
	limits.max[QUOTA_TEXTURE_BYTES] = GIB;
	g_assert_cmpuint(memory_limit_compute(&limits, 0), ==, 4 * GIB);
}

static uint64_t get_limit(void)
{
	struct rlimit limit;
	g_assert_cmpint(getrlimit(RLIMIT_DATA, &limit), ==, 0);
	g_assert_cmpuint(limit.rlim_cur, ==, limit.rlim_max);
	return limit.rlim_cur;
}

static bool map(uint64_t size_bytes, int flags, int fd)
{
	void *at = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, flags | MAP_NORESERVE, fd, 0);
	return at != MAP_FAILED;
}

/*
 * Checks in a child process, as the limit is for good. The child's exit status tells the line that
 * failed.
 */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			_exit(__LINE__ % 251 + 1);                                                 \
	} while (0)

static void run_child(void (*child)(void))
{
	int status;
	pid_t pid = fork();
	g_assert_cmpint(pid, >=, 0);
	if (pid == 0) {
		child();
		_exit(0);
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_true(WIFEXITED(status));
	g_assert_cmpint(WEXITSTATUS(status), ==, 0);
}

/* Guest memory is shared and may be as large as it likes; private memory may not. */
static void count(void)
{
	struct quota_limits limits = initial();
	memory_limit_set(&limits);
	CHECK(get_limit() >= 10 * GIB);
	int fd = memfd_create("guest", MFD_CLOEXEC);
	CHECK(fd >= 0 && ftruncate(fd, 64 * GIB) == 0);
	CHECK(map(64 * GIB, MAP_SHARED, fd));
	CHECK(map(9 * GIB, MAP_PRIVATE | MAP_ANONYMOUS, -1));
	CHECK(!map(2 * GIB, MAP_PRIVATE | MAP_ANONYMOUS, -1));
}

/*
 * A limit that somebody else has set lower stays. It is relative here, as sanitizers have
 * terabytes.
 */
static void lower(void)
{
	struct quota_limits limits = initial();
	memory_limit_set(&limits);
	const rlim_t less = get_limit() - GIB;
	const struct rlimit before = { less, less };
	CHECK(setrlimit(RLIMIT_DATA, &before) == 0);
	memory_limit_set(&limits);
	CHECK(get_limit() == less);
}

static void try_limit(void)
{
	const struct rlimit small = { GIB, GIB };
	CHECK(setrlimit(RLIMIT_DATA, &small) == 0);
	CHECK(!map(2 * GIB, MAP_PRIVATE | MAP_ANONYMOUS, -1));
}

static void test_count(void)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		try_limit();
		_exit(0);
	}
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	if (status != 0)
		g_test_skip("this kernel does not hold to RLIMIT_DATA");
	else
		run_child(count);
}

static void test_lower(void)
{
	run_child(lower);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/memory-limit/compute", test_compute);
	g_test_add_func("/memory-limit/count", test_count);
	g_test_add_func("/memory-limit/lower", test_lower);
	return g_test_run();
}
