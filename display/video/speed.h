/* SPDX-License-Identifier: MIT */
/*
 * speed: how hard x264 may try, by the time that pictures take here: its speed-preset for the next
 * encoder of this process.
 *
 * A preset is x264's, fixed while an encoder lives; streams begin often. A machine that spends more
 * than half of a frame's period in the encoder steps down, one that needs less than an eighth steps
 * up, since the same bits look better then. Any thread.
 */
#pragma once

#include <stdint.h>

/* A value of x264enc's speed-preset. */
const char *speed_preset(void);

/* A picture of a stream at `fps` took `ns`. */
void speed_note(uint64_t ns, double fps);
