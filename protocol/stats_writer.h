/* SPDX-License-Identifier: MIT */
/*
 * stats_writer is how a worker notes its figures (stats.h).
 *
 * There is one for the process, since figures come from threads and callbacks that share nothing
 * else. Until the keeper's memory has come they go to a place that nobody reads. So there is
 * nothing to check before a call, and a call costs a few nanoseconds. A head that does not exist is
 * ignored.
 *
 * Any thread may call it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/stats.h"

/* This is the memory in use; it is never NULL. */
extern struct stats *stats_memory;

/*
 * From now on figures go to the memory behind fd, which is that of a worker of this kind. Its
 * gauges, encoders and clients are cleared, its counts go on. The descriptor stays the caller's.
 * Returns false (logged) when the memory cannot be used, or when there is one already.
 */
bool stats_attach(int fd, enum stats_worker worker);

/* Stores text word by word, so that a reader sees whole words; it is cut to fit with its NUL. */
void stats_store_text(uint64_t *words, size_t size_bytes, const char *text);

static inline struct stats *stats_get_memory(void)
{
	return __atomic_load_n(&stats_memory, __ATOMIC_ACQUIRE);
}

static inline void stats_add(unsigned head, enum stats_count count, uint64_t n)
{
	if (head < FRAME_HEADS_MAX)
		__atomic_fetch_add(
			&stats_get_memory()->heads[head].counts[count], n, __ATOMIC_RELAXED);
}

static inline void stats_add_guest(enum stats_guest_count count, uint64_t n)
{
	__atomic_fetch_add(&stats_get_memory()->guest[count], n, __ATOMIC_RELAXED);
}

static inline void stats_add_door(enum stats_door_count count, uint64_t n)
{
	__atomic_fetch_add(&stats_get_memory()->door[count], n, __ATOMIC_RELAXED);
}

static inline void stats_set(unsigned head, enum stats_gauge gauge, uint64_t value)
{
	if (head < FRAME_HEADS_MAX)
		__atomic_store_n(
			&stats_get_memory()->heads[head].gauges[gauge], value, __ATOMIC_RELAXED);
}

static inline void stats_record_us(unsigned head, enum stats_stage stage, uint64_t us)
{
	if (head >= FRAME_HEADS_MAX)
		return;
	struct stats_histogram *histogram = &stats_get_memory()->heads[head].stages[stage];
	__atomic_fetch_add(&histogram->sum_us, us, __ATOMIC_RELAXED);
	__atomic_fetch_add(&histogram->buckets[stats_bucket_of(us)], 1, __ATOMIC_RELAXED);
}

/* Records the time since start_ns of CLOCK_MONOTONIC; a start that lies ahead counts as now. */
void stats_record_since_ns(unsigned head, enum stats_stage stage, uint64_t start_ns);

/* Says how the head's pictures are made from now on: "lossless", or the name of an encoder. */
void stats_set_encoder(unsigned head, const char *name);
