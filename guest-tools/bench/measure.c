/* SPDX-License-Identifier: MIT */
#include "guest-tools/bench/measure.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "guest-tools/common/kms.h"
#include "guest-tools/common/text.h"
#include "guest-tools/common/timing.h"

/*
 * This many times of runs and of flips are kept. A workload that is faster than that is measured
 * for less time.
 */
#define RUNS_MAX 20000
#define FLIPS_MAX 2000
/* A flip that takes longer than this has been lost. */
#define FLIP_LIMIT_MS 5000

void measurement_sum_up(struct measurement *measurement, double *times_ms, double per_run)
{
	double sum_ms = 0;
	for (unsigned i = 0; i < measurement->n_runs; i++)
		sum_ms += times_ms[i];
	timing_sort(times_ms, measurement->n_runs);
	measurement->done = measurement->n_runs > 0 && sum_ms > 0;
	if (!measurement->done)
		return;
	measurement->rate = per_run * measurement->n_runs * 1000.0 / sum_ms;
	measurement->median_ms = times_ms[measurement->n_runs / 2];
	measurement->p95_ms = times_ms[measurement->n_runs * 95 / 100];
	measurement->worst_ms = times_ms[measurement->n_runs - 1];
}

void measure_workload(struct gl *gl, const struct workload *workload, double seconds,
	struct measurement *measurement)
{
	static double times_ms[RUNS_MAX];
	assert(seconds > 0 && measurement->n_runs == 0);
	if (!workload->set_up(gl)) {
		text_copy(measurement->problem, sizeof measurement->problem,
			gl->error[0] ? gl->error : "no set-up");
		workload->tear_down(gl);
		return;
	}
	/*
	 * Two runs that are not measured let Mesa and the host compile shaders and fill their
	 * caches.
	 */
	for (unsigned i = 0; i < 2; i++) {
		workload->run(gl);
		gl->fn.Finish();
	}
	double end_ms = timing_now_ms() + seconds * 1000.0;
	for (double before_ms = timing_now_ms();
		before_ms < end_ms && measurement->n_runs < RUNS_MAX;) {
		workload->run(gl);
		gl->fn.Finish();
		double after_ms = timing_now_ms();
		times_ms[measurement->n_runs++] = after_ms - before_ms;
		before_ms = after_ms;
	}
	GLenum error = gl->fn.GetError();
	workload->tear_down(gl);
	if (error == GL_NO_ERROR)
		measurement_sum_up(measurement, times_ms, workload->per_run);
	else
		snprintf(measurement->problem, sizeof measurement->problem, "GL error 0x%04x",
			error);
}

static int time_flips(struct kms *kms, double seconds, struct measurement *measurement)
{
	static double times_ms[FLIPS_MAX];
	double before_ms = 0;
	int rc = kms_make_buffers(kms);
	if (rc == 0)
		rc = kms_light(kms);
	if (rc == 0)
		rc = kms_flip(kms, 1, FLIP_LIMIT_MS, &before_ms);
	double end_ms = timing_now_ms() + seconds * 1000.0;
	for (unsigned i = 0; rc == 0 && i < FLIPS_MAX && timing_now_ms() < end_ms; i++) {
		double event_ms = 0;
		rc = kms_flip(kms, i & 1, FLIP_LIMIT_MS, &event_ms);
		times_ms[measurement->n_runs++] = event_ms - before_ms;
		before_ms = event_ms;
	}
	if (rc == 0)
		measurement_sum_up(measurement, times_ms, 1);
	return rc;
}

void measure_flips(double seconds, struct measurement *measurement)
{
	struct kms kms;
	char card[512];
	assert(seconds > 0 && measurement->n_runs == 0);
	int rc = -ENODEV;
	if (text_find_path("/dev/dri/card*", card, sizeof card) > 0)
		rc = kms_open(&kms, card);
	if (rc == 0) {
		rc = kms_become_master(&kms);
		if (rc == 0)
			rc = time_flips(&kms, seconds, measurement);
		kms_close(&kms);
	}
	if (rc < 0)
		snprintf(measurement->problem, sizeof measurement->problem,
			"the display is not free: %s", strerror(-rc));
}
