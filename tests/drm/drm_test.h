/* SPDX-License-Identifier: MIT */
/*
 * drm_test: what the tests in the DRM VM share. It counts GBM buffers (gbm_shim.c) and descriptors,
 * and brings programs into memory before anything is timed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/drm/gbm_shim.h"

/*
 * Returns false outside the VM (WIRE_RENDER_NODE is not set). Every process started afterwards has
 * the shim.
 */
bool drm_test_init(void);
/* Starts counting anew, as processes that ended left their buffers to the kernel. */
void drm_test_reset_counts(void);
uint64_t drm_test_buffers_made(void);
/* Returns how many buffers there are, after waiting a while for that to become 0. */
uint64_t drm_test_buffers_left(void);

/*
 * Returns how many of the renderer's descriptors are pictures in memory, the second after waiting a
 * while for that to become 0.
 */
unsigned drm_test_count_pictures(pid_t pid);
unsigned drm_test_wait_pictures(pid_t pid);

unsigned drm_test_count_fds(pid_t pid);
/*
 * Returns how many descriptors the process has, after waiting a while for that to be at most
 * at_most.
 */
unsigned drm_test_wait_fds(pid_t pid, unsigned at_most);

/* Adds the tests of the renderer with its consumer in display's place. */
void gbm_tests_add(bool waits_only);
/* Add the tests of clients of a whole desktop, and end what these share. */
void local_tests_add(void);
void local_tests_end(void);

/* Says what guests scan out, and how a colour (0xRRGGBB) is written in it. */
struct drm_test_format {
	const char *name;
	uint32_t virgl_format; /* virgl_hw.h */
	uint32_t (*pack)(uint32_t rgb);
};

#define DRM_TEST_FORMATS 6
extern const struct drm_test_format drm_test_formats[DRM_TEST_FORMATS];
