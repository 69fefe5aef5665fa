/* SPDX-License-Identifier: MIT */
#include "tests/bench/samples.h"

#include <glib.h>
#include <stdlib.h>

void samples_add(struct samples *samples, double value)
{
	if (samples->n == samples->allocated) {
		samples->allocated = MAX(256, samples->allocated * 2);
		samples->values = g_renew(double, samples->values, samples->allocated);
	}
	samples->values[samples->n++] = value;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

double samples_quantile(struct samples *samples, double q)
{
	if (samples->n == 0)
		return 0;
	qsort(samples->values, samples->n, sizeof(double), compare);
	return samples->values[(size_t)(q * (double)(samples->n - 1) + 0.5)];
}

void samples_finish(struct samples *samples)
{
	g_free(samples->values);
	*samples = (struct samples){ 0 };
}
