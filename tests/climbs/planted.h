/* SPDX-License-Identifier: MIT */
/*
 * planted: the memory that the test and the code planted in our processes share.
 *
 * The test writes which climb is to be made into a cell, and sends a thread PLANTED_SIGNAL with the
 * cell's number. The thread makes the climb and writes its outcome there: no wall stands before
 * memory that is mapped.
 */
#pragma once

#include <stdint.h>

#include "tests/climbs/climb.h"

/* The file with the memory, in the environment of each process that code is planted in. */
#define PLANTED_VARIABLE "VITRINE_CLIMBS_MEMORY"
/* SIGRTMIN + 5 as glibc counts, which keeps two for itself. Nobody of ours uses one. */
#define PLANTED_SIGNAL 39
#define PLANTED_CELLS 4096

enum planted_state {
	PLANTED_ASKED = 1,
	PLANTED_BEGUN,
	PLANTED_DONE,
};

struct planted_cell {
	uint32_t group, row;
	uint32_t state; /* enum planted_state; atomic */
	int32_t error;  /* what the climb's go() returned */
};

struct planted_memory {
	struct climb_targets targets;
	struct planted_cell cells[PLANTED_CELLS];
};
