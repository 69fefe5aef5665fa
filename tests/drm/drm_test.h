/* SPDX-License-Identifier: MIT */
/*
 * drm_test: what the tests in the DRM VM share: counters of GBM buffers (gbm_shim.c), descriptors,
 * and programs that are in memory before anything is timed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/drm/gbm_shim.h"

/* False: not in the VM (WIRE_RENDER_NODE is not set). Every process started afterwards has the
 * shim. */
bool drm_test_init(void);
/* Counting starts anew: processes that ended left their buffers to the kernel. */
void drm_test_reset_counts(void);
uint64_t drm_test_buffers_made(void);
/* Waits a while for it to become 0. */
uint64_t drm_test_buffers_left(void);

unsigned drm_test_count_fds(pid_t pid);
/* Waits a while for it to be at most that. */
unsigned drm_test_wait_fds(pid_t pid, unsigned at_most);

/* The renderer with its consumer in display's place. */
void gbm_tests_add(bool waits_only);
/* Clients of a whole desktop; what they share ends with the second. */
void local_tests_add(void);
void local_tests_end(void);

/* What guests scan out, and how a colour (0xRRGGBB) is written in it. */
struct drm_test_format {
	const char *name;
	uint32_t virgl_format; /* virgl_hw.h */
	uint32_t (*pack)(uint32_t rgb);
};

#define DRM_TEST_FORMATS 6
extern const struct drm_test_format drm_test_formats[DRM_TEST_FORMATS];
