/* SPDX-License-Identifier: MIT */
/* Taking so much of the host that others have too little. What is taken is given back. */
#include <linux/futex.h>
#include <linux/memfd.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "tests/climbs/climb_calls.h"

/* More than any of our processes may have, and little enough for an ordinary machine. */
#define MEMORY_BYTES (64ull << 30)
#define FILE_BYTES (1ull << 40)
#define LOCK_BYTES (64ull << 20)
/* Past what a renderer may need for buffers and fences. */
#define DESCRIPTORS 70000
#define PROCESSES 512
#define THREADS 2048
#define STACK_BYTES 4096

static int take_memory(const struct climb_targets *t)
{
	/* Untouched memory costs nothing; without NORESERVE the kernel would refuse a careful host.
	 */
	void *memory = (void *)syscall(SYS_mmap, NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return errno;
	syscall(SYS_munmap, memory, MEMORY_BYTES);
	return 0;
}

static int take_file(const struct climb_targets *t)
{
	long fd = syscall(SYS_memfd_create, "climb", MFD_CLOEXEC);
	if (fd < 0)
		return errno;
	int error = climb_result(syscall(SYS_ftruncate, fd, FILE_BYTES));
	syscall(SYS_close, fd);
	return error;
}

static int lock_memory(const struct climb_targets *t)
{
	void *memory = (void *)syscall(
		SYS_mmap, NULL, LOCK_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return errno;
	int error = climb_result(syscall(SYS_mlock, memory, LOCK_BYTES));
	syscall(SYS_munmap, memory, LOCK_BYTES);
	return error;
}

static int lock_all(const struct climb_targets *t)
{
	if (syscall(SYS_mlockall, MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		return errno;
	syscall(SYS_munlockall);
	return 0;
}

/* The soft limit is for everybody to raise; what counts is the hard one. */
static int take_descriptors(const struct climb_targets *t)
{
	static int fds[DESCRIPTORS];
	struct rlimit limit, more;
	int n = 0, error = 0;
	if (syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit) == 0) {
		more = (struct rlimit){ limit.rlim_max, limit.rlim_max };
		syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &more, NULL);
	}
	while (n < DESCRIPTORS && !error) {
		fds[n] = (int)syscall(SYS_dup, 2);
		if (fds[n] < 0)
			error = errno;
		else
			n++;
	}
	while (n > 0)
		syscall(SYS_close, fds[--n]);
	syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, NULL);
	return error;
}

/* What is made waits until the climb is over. */
static volatile int is_over;

/* Children and threads share our thread's storage, so they touch none of it. */
static int wait_until_over(void *unused)
{
	while (!is_over)
		syscall(SYS_futex, &is_over, FUTEX_WAIT, 0, NULL, NULL, 0);
	syscall(SYS_exit, 0);
	return 0;
}

/*
 * Makes up to `wanted` of what clone() makes by these flags, and lets them end. Their number stays
 * in `made`, their IDs in `ids`. Returns 0 when all could be made, else errno.
 */
static int make_many(int flags, unsigned wanted, int *ids, unsigned *made)
{
	size_t bytes = (size_t)wanted * STACK_BYTES;
	int error = 0;
	*made = 0;
	char *stacks = (char *)syscall(SYS_mmap, NULL, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (stacks == MAP_FAILED)
		return errno;
	is_over = 0;
	while (*made < wanted && !error) {
		ids[*made] = clone(wait_until_over, stacks + (size_t)(*made + 1) * STACK_BYTES,
			CLONE_VM | flags, NULL);
		if (ids[*made] < 0)
			error = errno;
		else
			++*made;
	}
	is_over = 1;
	syscall(SYS_futex, &is_over, FUTEX_WAKE, wanted, NULL, NULL, 0);
	/* The last instructions of each run on its stack, so that is left where it is. */
	return error;
}

static int ids[THREADS];

static int take_processes(const struct climb_targets *t)
{
	unsigned made;
	int error = make_many(SIGCHLD, PROCESSES, ids, &made);
	while (made > 0)
		syscall(SYS_wait4, ids[--made], NULL, __WALL, NULL);
	return error;
}

static int take_threads(const struct climb_targets *t)
{
	unsigned made;
	return make_many(CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
		THREADS, ids, &made);
}

static int take_key_memory(const struct climb_targets *t)
{
	static const char data[4096];
	char name[24] = "climb-";
	int error = 0;
	for (uint32_t i = 0; i < 64 && !error; i++) {
		climb_put_number(name + 6, i);
		error = climb_result(syscall(SYS_add_key, "user", name, data, sizeof(data), -2));
	}
	return error;
}

static int take_watches(const struct climb_targets *t)
{
	return climb_opened(syscall(SYS_inotify_init1, O_CLOEXEC));
}

static int take_timers(const struct climb_targets *t)
{
	struct sigevent event = { .sigev_notify = SIGEV_NONE };
	int first = 0;
	long result = syscall(SYS_timer_create, 1 /* CLOCK_MONOTONIC */, &event, &first);
	if (result < 0)
		return errno;
	syscall(SYS_timer_delete, first);
	return 0;
}

#define SECCOMP CLIMB_SECCOMP
#define RIGHTS CLIMB_RIGHTS
static const struct climb rows[] = {
	{ "64 GiB of memory", CLIMB_ALL, RIGHTS, 0, take_memory },
	{ "a file of 1 TiB", CLIMB_ALL, RIGHTS, 0, take_file },
	{ "64 MiB locked", CLIMB_ALL, SECCOMP, 0, lock_memory },
	{ "mlockall", CLIMB_ALL, SECCOMP, 0, lock_all },
	{ "70000 descriptors", CLIMB_ALL, RIGHTS, 0, take_descriptors },
	{ "512 processes", CLIMB_ALL, SECCOMP, 0, take_processes },
	{ "2048 threads", CLIMB_ALL, 0, CLIMB_SPENDS, take_threads },
	{ "keys", CLIMB_ALL, SECCOMP, 0, take_key_memory },
	{ "inotify", CLIMB_KEEPER | CLIMB_STARTER | CLIMB_RENDER, SECCOMP, 0, take_watches },
	{ "timer_create", CLIMB_ALL, SECCOMP, 0, take_timers },
};

const struct climb_group climb_exhaustion = CLIMB_GROUP("exhaustion", rows);
