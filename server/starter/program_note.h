/* SPDX-License-Identifier: MIT */
/*
 * program_note reads from a worker's program what it keeps to (protocol/contracts.h), without
 * executing it, and from the very file that would be executed. It belongs to the starter's process.
 */
#pragma once

#include <stdint.h>

/* Where a program and this build part. */
struct program_difference {
	unsigned contract; /* enum contract, or one that only the program knows */
	uint32_t version;  /* the program's; 0: it knows no such contract */
};

/*
 * Returns 0 where the program keeps to what this build does; EPROTO with *difference where it does
 * not; ENODATA where it does not say; or errno.
 */
int program_note_compare(int program, struct program_difference *difference);
