/* SPDX-License-Identifier: MIT */
/*
 * candidates: lists the encoders that we know how to set up, by codec, best first: hardware, then
 * software. This is a table of constants.
 *
 * A setting that an encoder's version does not have is skipped. The settings are there to make one
 * picture leave for each that comes, and whether that is so is what the trial (trial.h) finds out.
 *
 * Threads: any.
 */
#pragma once

#include <gst/gst.h>
#include <stdbool.h>

/* One encoder has fewer settings than this, since the list ends with an empty one. */
#define CANDIDATES_SETTINGS_MAX 20

enum candidate_codec {
	CANDIDATE_H264,
	CANDIDATE_VP8,
	CANDIDATE_MJPEG,
	CANDIDATE_CODECS,
};

/* It says how an encoder is told what it may spend. */
enum candidate_rate {
	/*
	 * The quality is constant under a ceiling: "bitrate" in kbit/s, "vbv-buf-capacity" in ms.
	 */
	CANDIDATE_RATE_X264,
	/* The encoder aims at a rate: `rate_property`, in units of `rate_unit` bits per second. */
	CANDIDATE_RATE_TARGET,
	/*
	 * The encoder has a "quality" in percent, which we find by what pictures cost
	 * (rate_quality()).
	 */
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
	bool timed; /* it spends by pictures' times, not by their number */
	/* This property holds the size of the decoder's buffer in kbit; NULL: there is none. */
	const char *buffer_property;
	struct candidate_setting settings[CANDIDATES_SETTINGS_MAX]; /* ends with NULL */
};

const struct candidate *candidates_get(unsigned *n_candidates);

/*
 * The first returns the name of the element that spice-server looks up for the codec, the second
 * the codec's name in spice_server_set_video_codecs().
 */
const char *candidate_codec_element(enum candidate_codec codec);
const char *candidate_codec_name(enum candidate_codec codec);

/* Sets the candidate's settings, as far as the element has such properties. */
void candidate_apply(const struct candidate *candidate, GstElement *element);
