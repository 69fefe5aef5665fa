/* SPDX-License-Identifier: MIT */
/*
 * candidates: the encoders of a machine that we know how to set up, by codec, best first: hardware,
 * then software. Data only.
 *
 * Settings an encoder's version does not have are skipped: what they are for (one picture out for
 * each picture in) is what the trial asks.
 */
#pragma once

#include <gst/gst.h>
#include <stdbool.h>

#define CANDIDATES_SETTINGS_MAX 20

enum candidate_codec {
	CANDIDATE_H264,
	CANDIDATE_VP8,
	CANDIDATE_MJPEG,
	CANDIDATE_CODECS,
};

/* How an encoder is told what it may spend. */
enum candidate_rate {
	/* Constant quality, the rate is a ceiling: "bitrate" in kbit/s, "vbv-buf-capacity" in ms.
	 */
	CANDIDATE_RATE_X264,
	/* A target: `rate_property` in units of `rate_unit` bits per second. */
	CANDIDATE_RATE_TARGET,
	/* "quality" in percent, found by what pictures cost. */
	CANDIDATE_RATE_QUALITY,
};

struct candidate_setting {
	const char *property, *value;
};

struct candidate {
	const char *name; /* what people call it, as in --encoder=NAME */
	const char *factory;
	enum candidate_codec codec;
	bool hardware;
	const char *format; /* of pixels, as in video/x-raw; what convert.h makes */
	enum candidate_rate rate;
	const char *rate_property;
	unsigned rate_unit;
	bool timed; /* spends by pictures' times, not by their number */
	/* The decoder's buffer: a property in kbit, or NULL. */
	const char *buffer_property;
	struct candidate_setting settings[CANDIDATES_SETTINGS_MAX]; /* ends with NULL */
};

const struct candidate *candidates_get(unsigned *n_candidates);

/* The name spice-server looks up for the codec, and as in spice_server_set_video_codecs(). */
const char *candidate_codec_element(enum candidate_codec codec);
const char *candidate_codec_name(enum candidate_codec codec);

/* `settings` that the element has. */
void candidate_apply(const struct candidate *candidate, GstElement *element);
