/* SPDX-License-Identifier: MIT */
/*
 * rate: decides what an encoder may spend, from what spice-server allows, what the line carries and
 * how often pictures come.
 *
 * spice-server sets its encoder's bit rate from bandwidth tests, its own drops and the client's
 * reports, and drops pictures when 300 ms worth of it wait. Its rate is our ceiling. So is the
 * line's, less a tenth for everything else. Below the ceiling quality is constant: easy pictures
 * cost what they need, not what is there.
 *
 * The buffer (H.264: VBV) bounds one picture. It has what the line carries in RATE_LINE_MS, so that
 * no picture fills the line for longer. It never has less than two frame periods of the rate, and
 * just those where the line is unknown.
 *
 * Encoders spend by the picture, for the number of pictures a second that they were told. When
 * fewer come, each may cost more, up to RATE_STRETCH times: there is a bound since an encoder that
 * is itself the reason must not be given more work.
 *
 * It keeps no state. Threads: any.
 */
#pragma once

#include <stdint.h>

/* Video may take this share of a line's rate. */
#define RATE_LINE_SHARE 0.9
#define RATE_LINE_MS 25
/* The largest buffer takes this many milliseconds at the rate, less than spice-server's own 300. */
#define RATE_BUFFER_MAX_MS 200
/*
 * No encoder is told less than this, in kbit/s: below it encoders fail or show nothing that is of
 * use.
 */
#define RATE_MIN_KBIT 128
/* A moving 1080p picture looks good at about this many bits per pixel, for encoders that fill what
 * they are given. */
#define RATE_BITS_PER_PIXEL 0.15

#define RATE_STRETCH 2.0

struct rate_input {
	uint64_t allowed_bps; /* what spice-server allows; 0: it has not said */
	uint64_t line_bps;    /* 0: unknown */
	double stated_fps;    /* pictures a second that the encoder was told; 0: it reads times */
	double real_fps;      /* pictures a second that come */
	uint32_t width, height;
};

struct rate {
	uint32_t kbit;      /* per second, if stated_fps pictures came */
	uint32_t buffer_ms; /* time at that rate */
};

/* Returns what an encoder with a constant quality under a ceiling is told. */
struct rate rate_ceiling(const struct rate_input *input);
/* Returns what an encoder that spends all it is given is told: no more than good pictures need. */
struct rate rate_target(const struct rate_input *input);

/*
 * Returns the next picture's quality in percent, for an encoder that knows nothing else, after one
 * had `size_bytes` at `quality`.
 */
int rate_quality(const struct rate_input *input, int quality, uint64_t size_bytes);
