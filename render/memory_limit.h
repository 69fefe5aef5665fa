/* SPDX-License-Identifier: MIT */
/*
 * memory_limit: stands behind the quotas. Should a guest find a way to make the renderer take
 * memory that no quota counts, the kernel refuses it. At worst this process ends and another takes
 * its place, while the host and its other guests have lost nothing.
 *
 * The limit is RLIMIT_DATA, which since Linux 4.7 counts private memory that can be written. So it
 * needs not follow the guest's memory, which is shared, nor LLVM's code, as RLIMIT_AS would. It
 * counts addresses and not pages: what programs had compiled leaves its part of the heap behind,
 * without pages, once it is trimmed (render/commands/growth.h). Textures pay for programs, so what
 * is left behind is as much as all textures at most, and the limit is higher by that. It
 * does not count the buffers that display reads, which the quota of pictures counts, nor memory of
 * the GPU, whose driver has limits of its own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/quotas.h"

/*
 * Returns the limit, in bytes, for a process that has data_bytes of such memory before its guest
 * has asked for anything. Most of it may be stacks of a driver's threads that are never touched, so
 * what is more than QUOTAS_PROCESS_BYTES is added.
 */
uint64_t memory_limit_compute(const struct quota_limits *limits, uint64_t data_bytes);
/* Sets the limit for this process, for good, and logs it. It never raises one. */
void memory_limit_set(const struct quota_limits *limits);
