/* SPDX-License-Identifier: MIT */
/*
 * calls: ioctl() of the preload. Tables say which calls of a kernel driver are answered here; all
 * others go to Mesa's shim. Any thread.
 */
#pragma once

#include <stdint.h>

/* Returns 0, or -errno. `request` is for passing the call on. */
typedef int (*shim_call)(int fd, unsigned long request, void *arg);

struct shim_row {
	uint32_t number; /* _IOC_NR() of the call */
	const char *name;
	shim_call call;
};

/* Each of them ends with a row without a call. */
extern const struct shim_row prime_rows[], fence_rows[], amdgpu_rows[], i915_rows[], nouveau_rows[];

/* Mesa's shim answers. */
int calls_pass(int fd, unsigned long request, void *arg);
