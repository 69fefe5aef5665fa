/* SPDX-License-Identifier: MIT */
/* measure: runs a workload, or page flips, for some seconds and sums up how long each took. */
#pragma once

#include <stdbool.h>

#include "guest-tools/bench/workloads.h"

struct measurement {
	bool done;                          /* false: `problem` says why there are no figures */
	double rate;                        /* of the workload's unit */
	double median_ms, p95_ms, worst_ms; /* of one run */
	unsigned n_runs;
	char problem[128];
};

/* Fills in the figures from the times of n_runs runs, which it sorts. */
void measurement_sum_up(struct measurement *measurement, double *times_ms, double per_run);
/* `measurement` must be zeroed. */
void measure_workload(struct gl *gl, const struct workload *workload, double seconds,
	struct measurement *measurement);
/* Takes the display of the first card for as long; `measurement` must be zeroed. */
void measure_flips(double seconds, struct measurement *measurement);
