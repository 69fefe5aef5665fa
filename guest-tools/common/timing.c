/* SPDX-License-Identifier: MIT */
#include "guest-tools/common/timing.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

double timing_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1000.0 + (double)now.tv_nsec / 1e6;
}

void timing_sleep_ms(double milliseconds)
{
	assert(milliseconds >= 0 && milliseconds < 1000);
	nanosleep(&(struct timespec){ .tv_nsec = (long)(milliseconds * 1e6) }, NULL);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

void timing_sort(double *times_ms, size_t n_times)
{
	qsort(times_ms, n_times, sizeof *times_ms, by_value);
}
