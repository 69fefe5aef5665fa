/* SPDX-License-Identifier: MIT */
/*
 * contexts: the driver's contexts in the kernel, what they submit, and resets of the GPU. Whoever
 * resets it is guilty, and all other contexts of that time are innocent.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum context_fate { CONTEXT_WELL, CONTEXT_INNOCENT, CONTEXT_GUILTY };

/* Returns the number of a new one; never 0. */
uint32_t contexts_add(void);
/*
 * Counts a submission of this context, and resets the GPU if it is time for that. Returns what the
 * context is now. `is_reset` is whether this submission is what did it.
 */
enum context_fate contexts_submit(uint32_t context, bool *is_reset);
enum context_fate contexts_get_fate(uint32_t context);
