/* SPDX-License-Identifier: MIT */
/*
 * workloads are small fixed pieces of OpenGL work, whose speed can be compared between hosts and
 * between versions.
 *
 * A workload is set up once, then it runs again and again, and glFinish ends each run. What a run
 * does never changes under the same name: a new kind of work gets a new name, or else old figures
 * would mislead.
 */
#pragma once

#include <stdbool.h>

#include "guest-tools/common/gl.h"

struct workload {
	const char *name;
	const char *unit; /* This is what the rate counts per second. */
	double per_run;   /* One run does this number of units. */
	const char *what;
	bool (*set_up)(struct gl *gl);
	void (*run)(struct gl *gl);
	void (*tear_down)(struct gl *gl);
};

extern const struct workload workloads[];
extern const unsigned workloads_length;
