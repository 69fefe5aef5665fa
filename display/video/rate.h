/* SPDX-License-Identifier: MIT */
/*
 * rate: what an encoder may spend, from what spice-server allows, what the line carries and how
 * often pictures come. Pure.
 *
 * spice-server drives its encoder's bit rate from bandwidth tests, its own drops and the client's
 * reports, and drops pictures over 300 ms worth of it. Its rate is our ceiling, as is the line's,
 * less a tenth for everything else. Under the ceiling constant quality decides: easy pictures cost
 * what they need and not what is there.
 *
 * The buffer (H.264: VBV) bounds one picture: what the line carries in RATE_LINE_MS, so that a
 * picture never fills it for longer; two frame periods of the rate where the line is unknown, and
 * at least.
 *
 * Encoders spend by the picture, at a rate of pictures they were told; when fewer come, each may
 * cost more, up to RATE_STRETCH: an encoder that is itself the reason must not be given more work.
 */
#pragma once

#include <stdint.h>

/* Of a line's rate. */
#define RATE_LINE_SHARE 0.9
#define RATE_LINE_MS 25
/* Of the rate: under spice-server's own 300 ms. */
#define RATE_BUFFER_MAX_MS 200
#define RATE_MIN_KBIT 128
/* A moving 1080p picture looks good at about this many bits per pixel, for encoders that fill what
 * they are given. */
#define RATE_BITS_PER_PIXEL 0.15

#define RATE_STRETCH 2.0

struct rate_input {
	uint64_t allowed_bps; /* by spice-server; 0: it has not said */
	uint64_t line_bps;    /* 0: unknown */
	double stated_fps;    /* what the encoder was told; 0: it goes by the pictures' times */
	double real_fps;      /* what comes */
	uint32_t width, height;
};

struct rate {
	uint32_t kbit;      /* per second at `stated_fps` */
	uint32_t buffer_ms; /* of it */
};

/* For encoders with a constant quality under a ceiling. */
struct rate rate_ceiling(const struct rate_input *input);
/* For encoders that spend what they are given: no more than good pictures need. */
struct rate rate_target(const struct rate_input *input);

/*
 * For encoders that know only a quality in percent: the next one, after a picture of `size_bytes`
 * at `quality`.
 */
int rate_quality(const struct rate_input *input, int quality, uint64_t size_bytes);
