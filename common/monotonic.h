/* SPDX-License-Identifier: MIT */
/*
 * monotonic: the time of CLOCK_MONOTONIC in nanoseconds, which is the same in all processes of a
 * host. So it may cross a border. Any thread.
 */
#pragma once

#include <stdint.h>
#include <time.h>

#define MONOTONIC_NS_PER_S UINT64_C(1000000000)
#define MONOTONIC_NS_PER_MS UINT64_C(1000000)

static inline uint64_t monotonic_now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * MONOTONIC_NS_PER_S + (uint64_t)ts.tv_nsec;
}
