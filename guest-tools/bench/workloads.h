/* SPDX-License-Identifier: MIT */
/*
 * workloads: small fixed pieces of OpenGL work whose speed can be compared between hosts and
 * versions.
 *
 * A workload is set up once, then run again and again, each run ended by glFinish. What a run does
 * is never changed under the same name: a new kind of work gets a new name.
 */
#pragma once

#include <stdbool.h>

#include "guest-tools/common/gl.h"

struct workload {
	const char *name;
	const char *unit; /* of the rate */
	double per_run;   /* how many of them one run does */
	const char *what;
	bool (*set_up)(struct gl *gl);
	void (*run)(struct gl *gl);
	void (*tear_down)(struct gl *gl);
};

extern const struct workload workloads[];
extern const unsigned workloads_length;
