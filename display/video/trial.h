/* SPDX-License-Identifier: MIT */
/*
 * trial: finds out whether an encoder really encodes. Drivers list encoders that fail at the first
 * picture, that keep to no rate, that hang, and that hold pictures back, which would stop
 * spice-server, as it waits for each.
 *
 * Threads: any, but it waits.
 */
#pragma once

#include "display/video/choices.h"

#define TRIAL_PICTURES 5
/* For the start, and for each picture. */
#define TRIAL_TIMEOUT_MS 2000

/*
 * Encodes TRIAL_PICTURES pictures as spice-server would. Returns ENCODER_READY when each came out
 * in time, before the next went in, and what is needed was still set then; or else why not, with
 * text for people in `reason`, which may be NULL and which the caller frees.
 *
 * `node` and `cuda_device` are as in struct encoder_setup. `alone`: no stream is encoded meanwhile.
 */
enum encoder_state trial_run(
	const struct choice *choice, const char *node, int cuda_device, bool alone, char **reason);
