/* SPDX-License-Identifier: MIT */
/*
 * facade: is the element that stands under a name that spice-server looks up ("x264enc", "vp8enc",
 * "avenc_mjpeg"). It is a bin of convert.h's element and the encoder of this machine.
 *
 * It takes every property that spice-server sets on the element of that name, and follows only the
 * bit rate (rate.h); its candidate decides the rest. Exactly one buffer leaves for each that came,
 * before the next comes. A picture that cannot be encoded posts an error, since spice-server waits
 * for one or the other. A candidate that errs in service is not used again by this process: the
 * next one is.
 *
 * Threads: any makes and uses elements. facade_set_choices() must be called before a codec's first
 * element is made.
 */
#pragma once

#include <gst/gst.h>
#include <stdbool.h>
#include <stdint.h>

#include "display/video/candidates.h"

/* A codec has at most this many choices; more are left out. */
#define FACADE_CHOICES_MAX 8

struct facade_choice {
	const struct candidate *candidate;
	GstElementFactory *factory; /* borrowed: it must live as long as the process */
	bool chroma_444;
};

/* Makes the codec's elements of the first of these choices that has not failed, from now on. */
void facade_set_choices(
	enum candidate_codec codec, const struct facade_choice *choices, unsigned n_choices);

/*
 * Returns the type of a codec's element, to be registered under the name that spice-server looks
 * up.
 */
GType facade_type(enum candidate_codec codec);

/* video_set_line() says what the function must keep to. */
void facade_set_line(uint64_t (*line_bps)(void *user), void *user);
