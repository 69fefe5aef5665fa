/* SPDX-License-Identifier: MIT */
/* timing: milliseconds, in which all times and limits of the guest tools are. */
#pragma once

#include <stddef.h>

/* The time of CLOCK_MONOTONIC: only differences mean something. */
double timing_now_ms(void);
void timing_sleep_ms(double milliseconds);
/* Sorts from the shortest time to the longest, so that the median is in the middle. */
void timing_sort(double *times_ms, size_t n_times);
