/* SPDX-License-Identifier: MIT */
/*
 * speed: decides how hard x264 may try on this machine, by the time that pictures took so far.
 *
 * An encoder's preset cannot be changed, but streams begin often, and each begins with the preset
 * of now. A machine that spends more than half of a frame's period in the encoder goes to a faster
 * preset. One that needs less than an eighth goes to a slower one, with which the same bits look
 * better.
 *
 * Threads: any.
 */
#pragma once

#include <stdint.h>

/* Returns what x264enc's speed-preset is to be for the next encoder. */
const char *speed_preset(void);

/*
 * Notes that a picture of a stream with `fps` pictures a second took `ns` nanoseconds in the
 * encoder.
 */
void speed_note(uint64_t ns, double fps);
