/* SPDX-License-Identifier: MIT */
/*
 * memory_limit: what stands behind the quotas. Should a guest find a way to make the renderer take
 * memory that no quota counts, the kernel refuses it; at worst this process ends and another takes
 * its place, while the host and its other guests have lost nothing.
 *
 * The limit is RLIMIT_DATA, which since Linux 4.7 counts private memory that can be written. So it
 * needs not follow the guest's memory, which is shared, nor LLVM's code, as RLIMIT_AS would. What
 * it does not count is ours and counted by the quota of pictures: buffers that display reads; or is
 * the GPU's, whose driver has limits of its own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/quotas.h"

/*
 * The limit for a process that has data_bytes of such memory before its guest has asked for
 * anything. Most of it may be stacks of a driver's threads that are never touched, so what is more
 * than QUOTAS_PROCESS_BYTES is added.
 */
uint64_t memory_limit_compute(const struct quota_limits *limits, uint64_t data_bytes);
/* Sets it for this process, for good, and logs it. Never raises a limit. */
void memory_limit_set(const struct quota_limits *limits);
