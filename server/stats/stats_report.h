/* SPDX-License-Identifier: MIT */
/*
 * stats_report is what two snapshots of a desktop say together: counts, rates and percentiles.
 *
 * Totals are since the desktop's start. Rates and percentiles are of the time between the
 * snapshots; with one snapshot there are no rates, and percentiles are since the start. Numbers
 * that a worker made up give nonsense here but nothing worse: sums stop at the largest number, and
 * a count that went back is taken for unchanged.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "server/stats/stats_snapshot.h"

struct stats_times {
	uint64_t n;
	uint64_t sum_us;
	double p50_us, p95_us, p99_us; /* 0 when n is 0 */
	uint64_t buckets[STATS_BUCKETS];
};

struct stats_head_report {
	unsigned number;
	uint64_t counts[STATS_COUNTS];
	double rates[STATS_COUNTS]; /* per second */
	uint64_t gauges[STATS_GAUGES];
	char encoder[STATS_ENCODER_BYTES];
	struct stats_times stages[STATS_STAGES];
	/*
	 * Of the pixels that the guest flushed, so many percent were found changed, and so many
	 * were sent; -1 when none were flushed.
	 */
	double changed_percent, sent_percent;
};

struct stats_client_report {
	unsigned number;
	char address[STATS_ADDRESS_BYTES];
	uint64_t counts[STATS_CLIENT_COUNTS];
	double rates[STATS_CLIENT_COUNTS]; /* per second */
	uint64_t gauges[STATS_CLIENT_GAUGES];
};

struct stats_process_report {
	int pid; /* 0: does not run, or not known */
	double cpu_s;
	double cpu_percent; /* of one core; -1: not known */
};

struct stats_report {
	char name[STATS_NAME_BYTES];
	double interval_s; /* 0: one snapshot, no rates */
	uint32_t render_starts, display_starts;
	enum stats_spare spare;
	int spare_pid;
	uint64_t spare_own_kib;
	struct stats_process_report processes[STATS_PROCESSES];
	struct stats_head_report heads[FRAME_HEADS_MAX]; /* those that are on */
	unsigned n_heads;
	struct stats_client_report clients[STATS_CLIENTS_MAX]; /* those connected */
	unsigned n_clients;
	uint64_t guest_counts[STATS_GUEST_COUNTS];
	double guest_rates[STATS_GUEST_COUNTS]; /* per second */
	uint64_t door_counts[STATS_DOOR_COUNTS];
	double door_rates[STATS_DOOR_COUNTS];
};

/*
 * `before` is NULL where there is one snapshot; one of another keeper is as good as none. Free the
 * report with g_free().
 */
struct stats_report *stats_report_make(
	const struct stats_snapshot *before, const struct stats_snapshot *now);
