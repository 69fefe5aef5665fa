/* SPDX-License-Identifier: MIT */
/*
 * heap: counts what this process has taken of the C library's allocator, and how often it took.
 *
 * The kernel knows only how large the heap is. What was freed stays in it, in pieces, and whoever
 * comes next takes of that: the kernel sees nothing of it. So the allocator's functions are
 * replaced by ones that count and call the C library's. Memory that a library maps itself, as for
 * code, is not counted. A program that links this has it counted from its start, in all its
 * threads and libraries.
 *
 * Where the C library is not glibc, and under sanitizers, which replace the allocator themselves,
 * nothing is counted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct heap_use {
	/* Of all threads; what others than the caller have done lately may be missing. */
	int64_t bytes;
	/* Calls that have allocated something, by the calling thread alone. */
	uint64_t n_taken;
};

/* Returns false when nothing is counted. */
bool heap_read(struct heap_use *use);
/* Gives the kernel back the pages that nothing lies in. It takes milliseconds. */
void heap_trim(void);
