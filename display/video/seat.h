/* SPDX-License-Identifier: MIT */
/*
 * seat: is an encoder at work for one stream: which one, the conversion that its pictures need, and
 * what it was told to spend.
 *
 * Threads: one at a time.
 */
#pragma once

#include <gst/video/video.h>
#include <stdbool.h>

#include "display/video/choices.h"
#include "display/video/convert.h"
#include "display/video/rate_steps.h"

/* Hardware answers within so long, for its start and for each picture. */
#define SEAT_HARDWARE_MS 2000
/* Software depends on how busy the machine is, and has nothing behind it. */
#define SEAT_SOFTWARE_MS 10000

/* All zeros: nobody sits there. */
struct seat {
	struct choice choice;
	struct encoder *encoder;
	struct convert *convert;
	gint64 since_us;
	struct rate_steps steps;
	struct encoder_told told;
};

/*
 * Begins to start the choice's encoder for pictures of this kind. Returns false when there can be
 * no such pictures of its format.
 */
bool seat_take(struct seat *seat, const struct choice *choice, const GstVideoInfo *info,
	const struct rate_input *input);
/* Ends the encoder, and waits so long for that. An empty seat stays one. */
void seat_leave(struct seat *seat, unsigned wait_ms);

unsigned seat_timeout_ms(const struct seat *seat);
/* Returns the state of an encoder that starts, without waiting; SILENT when it should be there. */
enum encoder_state seat_look(const struct seat *seat);

/* As encoder_encode(), of a screen's picture, which stays the caller's. */
enum encoder_state seat_encode(
	struct seat *seat, const struct rate_input *input, GstBuffer *picture, GstBuffer **encoded);
