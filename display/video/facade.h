/* SPDX-License-Identifier: MIT */
/*
 * facade: the element that stands under a name spice-server looks up ("x264enc", "vp8enc",
 * "avenc_mjpeg"): a bin of convert.h and the encoder of this machine.
 *
 * It takes every property that spice-server sets on the element of that name and follows one, the
 * bit rate (rate.h). The settings are its candidate's. Exactly one buffer leaves for each that
 * came, before the next comes; what cannot be encoded posts an error, since spice-server waits for
 * one of the two. A candidate that errs in service is not used again by this process: the next one
 * is.
 *
 * An encoder that takes dma-bufs would get them here, before convert.h: spice-server hands us
 * memory that display made, whose address tells the frame. Nothing of that exists yet.
 *
 * Threads: elements are made and used by any; facade_set_choices() before the first of its codec.
 */
#pragma once

#include <gst/gst.h>
#include <stdbool.h>
#include <stdint.h>

#include "display/video/candidates.h"

#define FACADE_CHOICES_MAX 8

struct facade_choice {
	const struct candidate *candidate;
	GstElementFactory *factory; /* borrowed; must live as long as the process */
	bool chroma_444;
};

/* What elements of the codec are made of from now on: the first choice that has not failed. */
void facade_set_choices(
	enum candidate_codec codec, const struct facade_choice *choices, unsigned n_choices);

GType facade_type(enum candidate_codec codec);

/* See video_set_line(). */
void facade_set_line(uint64_t (*line_bps)(void *user), void *user);
