/* SPDX-License-Identifier: MIT */
/*
 * points: calls that can fail, as the preloaded library (preload.c) sees them and the runner
 * (run-faults) reads them: a file that all processes of a desktop have mapped.
 *
 * A point is a function that some place in some process calls. The runner arms one of them, or asks
 * for any of them by chance, and the library has that call fail, as often as was asked.
 */
#pragma once

#include <stdint.h>

#define FAULTS_MAGIC UINT64_C(0x31544c5541465256) /* "VRFAULT1" */
#define FAULTS_POINTS_MAX 4096
#define FAULTS_MODULE_BYTES 32

struct faults_point {
	uint64_t key; /* of process, function and place; 0: free */
	uint64_t n_calls, n_failed;
	uint64_t offset; /* of the place in the module */
	uint32_t role, function;
	char module[FAULTS_MODULE_BYTES];
};

struct faults {
	uint64_t magic;
	/* Written by the runner. */
	uint64_t armed_key; /* 0: none */
	uint64_t n_skipped; /* so many calls of it go well first */
	uint64_t one_in;    /* by chance: one of so many places; 0: none */
	uint64_t seed;
	uint64_t n_wanted; /* no more than this many calls fail */
	/* Written by the library. */
	uint64_t n_failed, n_calls, n_seen_of_armed;
	struct faults_point points[FAULTS_POINTS_MAX];
};
