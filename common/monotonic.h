/* SPDX-License-Identifier: MIT */
/*
 * monotonic reads CLOCK_MONOTONIC in nanoseconds. All processes of a host see the same clock, so a
 * time may cross a border. Any thread may call it.
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
