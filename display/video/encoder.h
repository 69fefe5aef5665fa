/* SPDX-License-Identifier: MIT */
/*
 * encoder: runs one element that encodes, on a thread of its own, since it may be a driver's and
 * hang: whoever feeds it waits for as long as it likes and then leaves it behind.
 *
 * All that is the element's happens on that thread: it is made, started, told of rates, fed and
 * ended there. One that never comes back keeps its thread and what it was given, for as long as the
 * process lives; the rest of the process goes on.
 *
 * Which candidates are at work the heartbeat's page says, so that the keeper knows whose work it
 * was when the process crashed (protocol/heartbeat.h).
 *
 * Threads: one at a time. Nobody waits for the element but in the calls that have a timeout.
 */
#pragma once

#include <gst/gst.h>
#include <stdbool.h>

#include "display/video/candidates.h"
#include "display/video/rate.h"

/* An element that is well ends sooner. */
#define ENCODER_END_MS 500
/* A reason is cut to this length. */
#define ENCODER_REASON_BYTES 200

enum encoder_state {
	ENCODER_STARTING, /* its thread is at something */
	ENCODER_READY,
	ENCODER_FAILED, /* encoder_reason() says why */
	/* It does not do what is needed, now or later: encoder_reason() says what. */
	ENCODER_UNFIT,
	/* It has not answered in time. It is of no use any more. */
	ENCODER_SILENT,
};

/* What an encoder is told of the next picture's cost. */
struct encoder_told {
	struct rate rate;
	int quality; /* in percent; for CANDIDATE_RATE_QUALITY, instead of the rate */
};

struct encoder_setup {
	const struct candidate *candidate;
	GstElementFactory *factory; /* borrowed: it lives as long as the process */
	GstCaps *caps;              /* of the pictures */
	struct encoder_told told;   /* at the start */
	bool trial;                 /* nothing else is at work, so a crash can only be its */
	/* An element that is of another GPU than this one is unfit. NULL: any; else for ever. */
	const char *node;
	int cuda_device; /* the same for CUDA; -1: any */
};

struct encoder;

/* Begins to start the element. */
struct encoder *encoder_create(const struct encoder_setup *setup);
/*
 * Ends it, and waits so long for that; what has not ended then is left behind. NULL is allowed.
 */
void encoder_destroy(struct encoder *encoder, unsigned wait_ms);

/* Waits until it has started, or does not wait with a timeout of 0. */
enum encoder_state encoder_wait(struct encoder *encoder, unsigned timeout_ms);

/*
 * Encodes a picture, whose reference it takes. It returns ENCODER_READY when `encoded` is the
 * picture, encoded.
 */
enum encoder_state encoder_encode(struct encoder *encoder, GstBuffer *picture,
	const struct encoder_told *told, unsigned timeout_ms, GstBuffer **encoded);

/*
 * Returns why it failed or is unfit, as printable ASCII, since a driver may have put it into any
 * words. The caller frees it.
 */
char *encoder_reason(struct encoder *encoder);
