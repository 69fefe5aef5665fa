/* SPDX-License-Identifier: MIT */
/* processes: reads from /proc what running processes cost. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* Names causes of memory, which we tell by what a mapping is. */
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

/* Sums up the proportional set size by cause; mappings that have gone by then count nothing. */
void process_read_memory(pid_t pid, struct process_memory *memory);
/* Returns the sum of everything but the guest's memory. */
uint64_t process_sum_kib(const struct process_memory *memory);

struct process_time {
	uint64_t cpu_ns;   /* of all threads (schedstat) */
	uint64_t wake_ups; /* voluntary context switches */
};

void process_read_time(pid_t pid, struct process_time *time);

/* Returns how much of its memory is nobody else's, so that it goes when the process does. */
uint64_t process_read_own_kib(pid_t pid);

/* Gives the process and all below it, at most `n`; returns how many they are. */
unsigned process_list(pid_t pid, pid_t *pids, unsigned n);

/* Finds a child that calls itself `name`, or 0: forks have the program of who forked them. */
pid_t process_find_child(pid_t parent, const char *name);
