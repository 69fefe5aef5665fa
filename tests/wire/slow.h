/* SPDX-License-Identifier: MIT */
/* slow: drawing that keeps the GPU busy for a while, for tests of fences and of hung renderers. */
#pragma once

#include "tests/wire/guest_gpu.h"
#include "tests/wire/virgl_encode.h"

/* The ids that it occupies, from its base on. */
#define SLOW_IDS 2

struct slow {
	struct guest *guest;
	uint32_t base; /* context and resources are numbered from here */
	struct guest_backing *target_backing, *vertices_backing;
	float iterations; /* of the fragment shader's loop */
};

/* iterations 0: to be calibrated. */
struct slow *slow_create(struct guest *guest, uint32_t base, float iterations);
/* The same in a context that there is already, numbered `base`. */
struct slow *slow_create_in(struct guest *guest, uint32_t base, float iterations);
/* Sets iterations so that one job takes about that long. Returns how long it took in the end. */
gint64 slow_calibrate(struct slow *slow, gint64 wanted_us);
/* Sends one job with a fence. */
struct guest_request *slow_send(struct slow *slow, uint64_t fence_id);
/*
 * Sends one job that never ends, as far as anybody will wait: software rendering ends a loop after
 * 65536 turns, so the picture is drawn anew many thousand times in one submission.
 */
struct guest_request *slow_send_endless(struct slow *slow, uint64_t fence_id);
/*
 * The renderer crashes at an endless job, and is replaced. Returns for how many microseconds there
 * was none: until the job is answered.
 */
struct desktop;
gint64 slow_crash(struct slow *slow, struct desktop *desktop);
/* Sends a TRANSFER_FROM_HOST_3D of what the job draws, without a fence. */
struct guest_request *slow_send_readback(struct slow *slow);
void slow_destroy(struct slow *slow);
/* Without commands: the device has forgotten everything, or does not answer. */
void slow_forget(struct slow *slow);
