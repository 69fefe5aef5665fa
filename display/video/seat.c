/* SPDX-License-Identifier: MIT */
#include "display/video/seat.h"

/* An encoder is told of a new rate only when it differs by more than this share. */
#define RATE_MARGIN 0.08
#define FIRST_QUALITY 75

/* ---- what it may spend ---- */

static bool differs(double a, double b)
{
	return ABS(a - b) > RATE_MARGIN * b;
}

static void update_rate(struct seat *seat, struct rate_input input)
{
	const struct candidate *candidate = seat->choice.candidate;
	struct rate *told = &seat->told.rate;
	if (candidate->timed)
		input.stated_fps = 0;
	struct rate wanted =
		candidate->rate == CANDIDATE_RATE_X264 ? rate_ceiling(&input) : rate_target(&input);
	if (candidate->costs_key_frame) {
		uint64_t now_ns = (uint64_t)g_get_monotonic_time() * 1000;
		if (rate_steps_want(&seat->steps, wanted, now_ns))
			*told = seat->steps.told;
	} else if (differs(wanted.kbit, told->kbit) || differs(wanted.buffer_ms, told->buffer_ms)) {
		*told = wanted;
	}
}

/* ---- sitting down and getting up ---- */

bool seat_take(struct seat *seat, const struct choice *choice, const GstVideoInfo *info,
	const struct rate_input *input)
{
	g_assert(!seat->encoder);
	*seat = (struct seat){
		.choice = *choice, .since_us = g_get_monotonic_time(), .told.quality = FIRST_QUALITY
	};
	seat->convert = convert_create(
		choice_format(choice), candidate_is_full_range(choice->candidate), info);
	if (!seat->convert)
		return false;
	update_rate(seat, *input);
	const struct encoder_setup setup = { .candidate = choice->candidate,
		.factory = choice->factory,
		.caps = convert_caps(seat->convert),
		.told = seat->told,
		.cuda_device = -1 };
	seat->encoder = encoder_create(&setup);
	return true;
}

void seat_leave(struct seat *seat, unsigned wait_ms)
{
	encoder_destroy(seat->encoder, wait_ms);
	convert_destroy(seat->convert);
	*seat = (struct seat){ 0 };
}

unsigned seat_timeout_ms(const struct seat *seat)
{
	return seat->choice.candidate->hardware ? SEAT_HARDWARE_MS : SEAT_SOFTWARE_MS;
}

enum encoder_state seat_look(const struct seat *seat)
{
	enum encoder_state state = encoder_wait(seat->encoder, 0);
	gint64 waited_us = g_get_monotonic_time() - seat->since_us;
	bool late = waited_us > (gint64)seat_timeout_ms(seat) * 1000;
	return state == ENCODER_STARTING && late ? ENCODER_SILENT : state;
}

/* ---- pictures ---- */

enum encoder_state seat_encode(
	struct seat *seat, const struct rate_input *input, GstBuffer *picture, GstBuffer **encoded)
{
	GstBuffer *converted = convert_picture(seat->convert, picture);
	*encoded = NULL;
	if (!converted)
		return ENCODER_FAILED;
	update_rate(seat, *input);
	enum encoder_state state = encoder_encode(
		seat->encoder, converted, &seat->told, seat_timeout_ms(seat), encoded);
	if (state == ENCODER_READY && seat->choice.candidate->rate == CANDIDATE_RATE_QUALITY)
		seat->told.quality =
			rate_quality(input, seat->told.quality, gst_buffer_get_size(*encoded));
	return state;
}
