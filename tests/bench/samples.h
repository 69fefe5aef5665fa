/* SPDX-License-Identifier: MIT */
/* samples: keeps measured numbers and answers questions about them. */
#pragma once

#include <stddef.h>

struct samples {
	double *values;
	size_t n, allocated;
};

void samples_add(struct samples *samples, double value);
/* Sorts the samples and returns quantile q of 0 to 1; 0 when there are none. */
double samples_quantile(struct samples *samples, double q);
void samples_finish(struct samples *samples);
