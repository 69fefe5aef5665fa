/* SPDX-License-Identifier: MIT */
/*
 * fences: when the GPU has done what was submitted. It is at once, without busy= and endless=. All
 * that a process has submitted is over at the same time, which is late enough for each part of it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Something is submitted now. */
void fences_begin(uint32_t submission);
bool fences_are_over(void);
/* All work of all processes is over at this time, and not before: then the GPU is reset. */
void fences_stall(int64_t until_ns);
/* Counts the reset, when it is time and nobody has. Whoever asks for a fate does so first. */
void fences_end_stall(void);
/*
 * Waits until then, or until `end_ns` of CLOCK_MONOTONIC; 0 is no waiting. Returns whether all is
 * over. What was waited for is counted and logged, with the call's name.
 */
bool fences_wait(const char *name, int64_t end_ns);
/* Returns CLOCK_MONOTONIC in ns, `ns` later; not later than there is such a time. */
int64_t fences_in_ns(int64_t ns);
/* Returns a descriptor that is readable when all is over: a sync file. -1: there is none left. */
int fences_make_file(void);
