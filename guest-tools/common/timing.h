/* SPDX-License-Identifier: MIT */
/* timing counts in milliseconds, the unit of all times and limits of the guest tools. */
#pragma once

#include <stddef.h>

/* Gives the time of CLOCK_MONOTONIC, of which only differences mean something. */
double timing_now_ms(void);
void timing_sleep_ms(double milliseconds);
/* Sorts from the shortest time to the longest, so that the median is in the middle. */
void timing_sort(double *times_ms, size_t n_times);
