/* SPDX-License-Identifier: MIT */
/*
 * environment finds variables that turn Mesa away from the virtio-gpu driver, in this environment
 * and in the files that make one at login.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct environment_override {
	char setting[128]; /* It reads NAME=value. */
	char where[160];   /* It names the file that sets the variable, or "this environment". */
	bool software;     /* The variable may lead to software rendering by itself. */
	bool forced;       /* The variable does so for every program, even where GBM shows virgl. */
};

/* Finds the gravest of all overrides. Gives false when there is none. */
bool environment_find(struct environment_override *found);
/* Is "NAME=value", of any program's environment, an override that is `forced`? */
bool environment_forces(const char *assignment);
