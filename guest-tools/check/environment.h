/* SPDX-License-Identifier: MIT */
/* environment: variables that turn Mesa away from the virtio-gpu driver, here and in login files.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct environment_override {
	char setting[128]; /* NAME=value */
	char where[160];   /* "this environment" or the file that sets it */
	bool software;     /* it may cause software rendering by itself */
	bool forced;       /* it does, for each program, whatever GBM shows */
};

/* The gravest override found. False: none. */
bool environment_find(struct environment_override *found);
/* Is "NAME=value", of some program's environment, one that is `forced`? */
bool environment_forces(const char *assignment);
