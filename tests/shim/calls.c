/* SPDX-License-Identifier: MIT */
#include "tests/shim/calls.h"

#include <dlfcn.h>
#include <drm.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/shim/faults.h"
#include "tests/shim/nodes.h"

static const struct shim_row *const driver_rows[] = {
	[SHIM_AMDGPU] = amdgpu_rows,
	[SHIM_I915] = i915_rows,
	[SHIM_NOUVEAU] = nouveau_rows,
};

int calls_pass(int fd, unsigned long request, void *arg)
{
	static int (*next)(int, unsigned long, ...);
	if (!next)
		next = (int (*)(int, unsigned long, ...))shim_next("ioctl");
	return next(fd, request, arg);
}

static const struct shim_row *find(const struct shim_row *rows, uint32_t number)
{
	for (; rows && rows->call; rows++) {
		if (rows->number == number)
			return rows;
	}
	return NULL;
}

static const struct shim_row *find_row(uint32_t number)
{
	const struct shim_row *row = find(prime_rows, number);
	if (!row)
		row = find(fence_rows, number);
	return row ? row : find(driver_rows[faults_get()->driver], number);
}

static bool is_gone(void)
{
	static uint32_t n_calls;
	uint32_t gone = faults_get()->gone;
	if (__atomic_load_n(&faults_control()->is_gone, __ATOMIC_ACQUIRE))
		return true;
	return gone != SHIM_NEVER && __atomic_fetch_add(&n_calls, 1, __ATOMIC_RELAXED) >= gone;
}

/* A driver asks its kernel driver something that no other has before it does anything else. */
static int start_driver(unsigned node)
{
	switch (faults_get()->start[node]) {
	case START_CRASH:
		faults_log("fault start=crash");
		__builtin_trap();
	case START_HANG:
		faults_log("fault start=hang");
		for (;;)
			pause();
	case START_FAIL:
		return -ENODEV;
	default:
		return 0;
	}
}

static int answer(int fd, unsigned node, unsigned long request, void *arg)
{
	uint32_t number = _IOC_NR(request);
	if (is_gone()) {
		if (faults_get()->bug)
			((void (*)(void))dlsym(RTLD_DEFAULT, "shim_bug"))();
		return -ENODEV;
	}
	if (number >= DRM_COMMAND_BASE && number < DRM_COMMAND_END) {
		int result = start_driver(node);
		if (result < 0)
			return result;
	}
	const struct shim_row *row = find_row(number);
	return row ? row->call(fd, request, arg) : calls_pass(fd, request, arg);
}

SHIM_EXPORTED int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	va_start(arguments, request);
	void *arg = va_arg(arguments, void *);
	va_end(arguments);
	int node = nodes_find(fd);
	if (node < 0 || _IOC_TYPE(request) != DRM_IOCTL_BASE)
		return calls_pass(fd, request, arg);
	int result = answer(fd, (unsigned)node, request, arg);
	/* Mesa's shims return it as the kernel does; libc would not. */
	if (result < -1) {
		errno = -result;
		return -1;
	}
	return result;
}

/* ---- memory ---- */

/*
 * AddressSanitizer asks for memory before libc has an environment, and Mesa's shim would read there
 * which chip it is, once and for all.
 */
static void *map(
	const char *name, void *addr, size_t length, int prot, int flags, int fd, off64_t offset)
{
	typedef void *(*map_call)(void *, size_t, int, int, int, off64_t);
	if (!environ)
		return (void *)syscall(SYS_mmap, addr, length, prot, flags, fd, offset);
	return ((map_call)shim_next(name))(addr, length, prot, flags, fd, offset);
}

SHIM_EXPORTED void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
	return map("mmap", addr, length, prot, flags, fd, offset);
}

SHIM_EXPORTED void *mmap64(void *addr, size_t length, int prot, int flags, int fd, off64_t offset)
{
	return map("mmap64", addr, length, prot, flags, fd, offset);
}
