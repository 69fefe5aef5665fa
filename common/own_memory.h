/* SPDX-License-Identifier: MIT */
/*
 * own_memory tells how much memory this process has that nobody else has: what would be free if it
 * were not there. Pages that it has written count, and its page tables; what lies in files that
 * others have mapped, too, does not.
 */
#pragma once

#include <stdint.h>

/* Gives it in KiB, or 0 when the kernel does not say. It takes a millisecond or a few. */
uint64_t own_memory_read_kib(void);
