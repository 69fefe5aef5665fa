/* SPDX-License-Identifier: MIT */
/* slow: keeps the GPU busy for a while by drawing, for tests of fences and of hung renderers. */
#pragma once

#include "tests/wire/guest_gpu.h"
#include "tests/wire/virgl_encode.h"

/* A job occupies this many ids from its base on. */
#define SLOW_IDS 2

struct slow {
	struct guest *guest;
	uint32_t base; /* context and resources are numbered from here */
	struct guest_backing *target_backing, *vertices_backing;
	float iterations; /* of the fragment shader's loop */
};

/* Makes a context and the job's objects. `iterations` 0 means that slow_calibrate() will set it. */
struct slow *slow_create(struct guest *guest, uint32_t base, float iterations);
/* Makes the job's objects in a context that exists already and has the number `base`. */
struct slow *slow_create_in(struct guest *guest, uint32_t base, float iterations);
/*
 * Sets the iterations so that one job takes about wanted_us. Returns how long the last one took, in
 * microseconds.
 */
gint64 slow_calibrate(struct slow *slow, gint64 wanted_us);
/* Sends one job with a fence. */
struct guest_request *slow_send(struct slow *slow, uint64_t fence_id);
/*
 * Sends one job that lasts longer than anybody waits. Software rendering ends a loop after 65536
 * turns, so one submission draws the picture many thousand times.
 */
struct guest_request *slow_send_endless(struct slow *slow, uint64_t fence_id);
/*
 * Crashes the renderer while it is at an endless job. Returns for how many microseconds there was
 * none: until its successor answers the job.
 */
struct desktop;
gint64 slow_crash(struct slow *slow, struct desktop *desktop);
/* Sends a TRANSFER_FROM_HOST_3D of what the job draws, without a fence. */
struct guest_request *slow_send_readback(struct slow *slow);
void slow_destroy(struct slow *slow);
/* Frees without sending commands, for a device that has forgotten everything or does not answer. */
void slow_forget(struct slow *slow);
