/* SPDX-License-Identifier: MIT */
/* gbm_shim: describes what gbm_shim.so counts, in a file that the test and the renderer share. */
#pragma once

#include <stdint.h>

struct gbm_shim_counts {
	uint64_t made, destroyed;
};
