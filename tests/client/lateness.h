/* SPDX-License-Identifier: MIT */
/*
 * lateness: tells when the machine itself was late. On each processor a thread sleeps for a few
 * milliseconds at a time and notes by how much it woke too late: whatever else ran there at that
 * time held up others, too. A thread that seldom runs is let in soon, though; those that compute
 * wait for longer, which the kernel counts.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

struct lateness;

/* A thread that woke later than this was held up. */
#define LATENESS_MS 8

struct lateness *lateness_start(void);
/* Returns whether a thread was held up at some time between these, in microseconds. */
bool lateness_was(struct lateness *lateness, gint64 begun_us, gint64 ended_us);
/* Returns for how many milliseconds a thread was held up at most. */
double lateness_longest_ms(struct lateness *lateness);
/* Returns how often one was. */
unsigned lateness_count(struct lateness *lateness);
void lateness_stop(struct lateness *lateness);

/* Returns how long all threads of a process together have waited for a processor, in microseconds,
 * of those that there are now. */
gint64 lateness_waited_us(pid_t pid);
