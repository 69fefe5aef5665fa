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
	/*
	 * An element without this property or value is of no use to us. Drivers leave out of an
	 * enumeration what their hardware cannot do, and a value that is not in it is ignored
	 * without a word: without "cbr" quality is constant and the rate has no bound.
	 */
	bool needed;
};

struct candidate {
	const char *name; /* what people call it, as in --encoder=NAME */
	const char *factory;
	/*
	 * The element that is of one GPU and no other has a name of three parts, of which the
	 * middle one is the last part of its render node's path, or with `is_cuda` CUDA's number
	 * (own_gpu.h). NULL: there is none.
	 */
	const char *own_before, *own_after;
	bool is_cuda;
	enum candidate_codec codec;
	bool hardware;
	const char *format; /* of pixels, as in video/x-raw; what convert.h makes */
	enum candidate_rate rate;
	const char *rate_property;
	unsigned rate_unit;
	bool costs_key_frame; /* each change of the rate does (rate_steps.h) */
	bool timed;           /* it spends by pictures' times, not by their number */
	/* This property holds the size of the decoder's buffer in kbit; NULL: there is none. */
	const char *buffer_property;
	struct candidate_setting settings[CANDIDATES_SETTINGS_MAX]; /* ends with NULL */
};

/* There are fewer candidates than this. */
#define CANDIDATES_MAX 16

const struct candidate *candidates_get(unsigned *n_candidates);
/* Returns the candidate's place in that list. */
unsigned candidate_index(const struct candidate *candidate);
/* Returns whether brightness is 0-255 in what it takes, and not 16-235. */
bool candidate_is_full_range(const struct candidate *candidate);

/*
 * The first returns the name of the element that spice-server looks up for the codec, the second
 * the codec's name in spice_server_set_video_codecs().
 */
const char *candidate_codec_element(enum candidate_codec codec);
const char *candidate_codec_name(enum candidate_codec codec);

/* Sets the candidate's settings, as far as the element has such properties. */
void candidate_apply(const struct candidate *candidate, GstElement *element);

/*
 * Reads back what is needed. Returns NULL when all of it is as it was set, or else text that says
 * what is not, which the caller frees. An element may find out as late as at its first picture.
 */
char *candidate_find_refused(const struct candidate *candidate, GstElement *element);
