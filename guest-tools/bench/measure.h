/* SPDX-License-Identifier: MIT */
/* measure runs a workload, or page flips, for some seconds and sums up how long each run took. */
#pragma once

#include <stdbool.h>

#include "guest-tools/bench/workloads.h"

struct measurement {
	bool done;   /* It is false when there are no figures; `problem` says why. */
	double rate; /* It counts the workload's unit, per second. */
	double median_ms, p95_ms, worst_ms; /* These are times of one run. */
	unsigned n_runs;
	char problem[128];
};

/* Fills in the figures from the times of n_runs runs, which it sorts. */
void measurement_sum_up(struct measurement *measurement, double *times_ms, double per_run);
/* Runs the workload again and again. `measurement` must be zeroed. */
void measure_workload(struct gl *gl, const struct workload *workload, double seconds,
	struct measurement *measurement);
/* Flips on the first card, whose display this takes meanwhile. `measurement` must be zeroed. */
void measure_flips(double seconds, struct measurement *measurement);
