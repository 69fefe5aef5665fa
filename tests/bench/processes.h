/* SPDX-License-Identifier: MIT */
/* processes: what running processes cost, from /proc. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* Causes of memory, told by what a mapping is. */
enum memory_cause {
	MEMORY_HEAP,      /* heap, stacks and other private memory */
	MEMORY_JIT,       /* anonymous and executable: LLVM's code */
	MEMORY_LLVM,      /* libLLVM itself */
	MEMORY_MESA,      /* GL, EGL, GBM and their drivers */
	MEMORY_LIBRARIES, /* every other file */
	MEMORY_PICTURES,  /* scanout buffers in memfd */
	MEMORY_SHARED,    /* other memfd: the ledger */
	MEMORY_GUEST,     /* the guest's own memory: not ours */
	MEMORY_CAUSES,
};

extern const char *const MEMORY_CAUSE_NAMES[MEMORY_CAUSES];

struct process_memory {
	uint64_t pss_kib[MEMORY_CAUSES];
};

/* Proportional set size by cause; what has gone by then counts nothing. */
void process_read_memory(pid_t pid, struct process_memory *memory);
/* Everything but the guest's. */
uint64_t process_sum_kib(const struct process_memory *memory);

struct process_time {
	uint64_t cpu_ns;   /* of all threads (schedstat) */
	uint64_t wake_ups; /* voluntary context switches */
};

void process_read_time(pid_t pid, struct process_time *time);
