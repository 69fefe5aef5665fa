/* SPDX-License-Identifier: MIT */
/*
 * trial: whether an element really encodes. Drivers list encoders that fail at the first picture,
 * and encoders that hold pictures back would stop spice-server, which waits for each.
 */
#pragma once

#include <gst/gst.h>
#include <stdbool.h>
#include <stdint.h>

#define TRIAL_PICTURES 5
#define TRIAL_TIMEOUT_MS 2000

/*
 * Encodes TRIAL_PICTURES as spice-server would: each must come out, within the timeout, before the
 * next goes in. Takes over `encoder`.
 */
bool trial_passes(GstElement *encoder);
