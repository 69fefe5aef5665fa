/* SPDX-License-Identifier: MIT */
/*
 * trial: finds out whether an element really encodes. Drivers list encoders that fail at the first
 * picture, and one that holds pictures back would stop spice-server, which waits for each.
 *
 * Threads: any, but it waits.
 */
#pragma once

#include <gst/gst.h>
#include <stdbool.h>
#include <stdint.h>

#define TRIAL_PICTURES 5
#define TRIAL_TIMEOUT_MS 2000

/*
 * Encodes TRIAL_PICTURES pictures as spice-server would. Returns true when each came out within
 * TRIAL_TIMEOUT_MS, before the next went in. Takes over `encoder`.
 */
bool trial_passes(GstElement *encoder);
