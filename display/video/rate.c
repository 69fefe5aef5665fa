/* SPDX-License-Identifier: MIT */
#include "display/video/rate.h"

#include <glib.h>

/*
 * spice-server takes this rate, in bits per second, before it has measured (gstreamer-encoder.c).
 */
#define DEFAULT_BPS (8.0 * 1024 * 1024)
#define FPS_MIN 5.0
#define FPS_MAX 240.0
#define QUALITY_MIN 25
#define QUALITY_MAX 85
#define QUALITY_DOWN 4
#define QUALITY_UP 1

static double bounded_fps(double fps)
{
	return CLAMP(fps, FPS_MIN, FPS_MAX);
}

static double ceiling_bps(const struct rate_input *input)
{
	double bps = input->allowed_bps ? (double)input->allowed_bps : DEFAULT_BPS;
	if (input->line_bps)
		bps = MIN(bps, (double)input->line_bps * RATE_LINE_SHARE);
	return MAX(bps, RATE_MIN_KBIT * 1000.0);
}

static struct rate rate_of(const struct rate_input *input, double bps)
{
	double real_fps = bounded_fps(input->real_fps);
	double stretch = input->stated_fps > 0 ? bounded_fps(input->stated_fps) / real_fps : 1;
	double least = 2 * bps / real_fps, most = MAX(least, bps * RATE_BUFFER_MAX_MS / 1000);
	double buffer = CLAMP((double)input->line_bps * RATE_LINE_MS / 1000, least, most);
	double told_bps = bps * MIN(stretch, RATE_STRETCH);
	return (struct rate){
		.kbit = (uint32_t)MIN(told_bps / 1000, 2.0e6),
		.buffer_ms = (uint32_t)MAX(1, buffer * 1000 / told_bps),
	};
}

struct rate rate_ceiling(const struct rate_input *input)
{
	return rate_of(input, ceiling_bps(input));
}

struct rate rate_target(const struct rate_input *input)
{
	double good =
		RATE_BITS_PER_PIXEL * input->width * input->height * bounded_fps(input->real_fps);
	return rate_of(input, MIN(ceiling_bps(input), MAX(good, RATE_MIN_KBIT * 1000.0)));
}

int rate_quality(const struct rate_input *input, int quality, uint64_t size_bytes)
{
	double budget = ceiling_bps(input) / 8 / bounded_fps(input->real_fps);
	if ((double)size_bytes > budget)
		quality -= QUALITY_DOWN;
	else if ((double)size_bytes < budget * 0.8)
		quality += QUALITY_UP;
	return CLAMP(quality, QUALITY_MIN, QUALITY_MAX);
}
