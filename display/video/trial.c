/* SPDX-License-Identifier: MIT */
#include "display/video/trial.h"

#include <gst/video/video.h>
#include <string.h>

#include "display/video/convert.h"

/* Hardware has a least size: the largest known is 145x145 of NVENC, and some count blocks of 64. */
#define WIDTH 320
#define HEIGHT 256
#define FPS 60
#define KBIT 4000
#define BUFFER_MS 50
#define QUALITY 75

static GstBuffer *picture(unsigned number)
{
	GstBuffer *buffer = gst_buffer_new_allocate(NULL, WIDTH * HEIGHT * 4, NULL);
	GstMapInfo map;
	GST_BUFFER_PTS(buffer) = number * GST_SECOND / FPS;
	if (!gst_buffer_map(buffer, &map, GST_MAP_WRITE))
		return buffer;
	for (unsigned y = 0; y < HEIGHT; y++) {
		for (unsigned x = 0; x < WIDTH; x++) {
			uint32_t pixel = ((x + number * 3) << 16 | y << 8 | (x ^ y)) & 0xffffff;
			memcpy(map.data + (y * WIDTH + x) * 4, &pixel, sizeof(pixel));
		}
	}
	gst_buffer_unmap(buffer, &map);
	return buffer;
}

static enum encoder_state encode(struct encoder *encoder, struct convert *convert,
	const struct encoder_told *told, unsigned number)
{
	GstBuffer *drawn = picture(number), *encoded = NULL;
	GstBuffer *converted = convert_picture(convert, drawn);
	gst_buffer_unref(drawn);
	if (!converted)
		return ENCODER_FAILED;
	enum encoder_state state =
		encoder_encode(encoder, converted, told, TRIAL_TIMEOUT_MS, &encoded);
	gst_clear_buffer(&encoded);
	return state;
}

static enum encoder_state run(struct encoder_setup *setup, struct convert *convert, char **reason)
{
	setup->caps = convert_caps(convert);
	struct encoder *encoder = encoder_create(setup);
	enum encoder_state state = encoder_wait(encoder, TRIAL_TIMEOUT_MS);
	for (unsigned i = 0; i < TRIAL_PICTURES && state == ENCODER_READY; i++)
		state = encode(encoder, convert, &setup->told, i);
	*reason = encoder_reason(encoder);
	encoder_destroy(encoder, state == ENCODER_SILENT ? 0 : ENCODER_END_MS);
	return state;
}

enum encoder_state trial_run(
	const struct choice *choice, const char *node, int cuda_device, bool alone, char **reason)
{
	struct encoder_setup setup = { .candidate = choice->candidate,
		.factory = choice->factory,
		.told = { .rate = { .kbit = KBIT, .buffer_ms = BUFFER_MS }, .quality = QUALITY },
		.trial = alone,
		.node = node,
		.cuda_device = cuda_device };
	GstVideoInfo info;
	gst_video_info_set_format(&info, GST_VIDEO_FORMAT_BGRx, WIDTH, HEIGHT);
	info.fps_n = FPS;
	info.fps_d = 1;
	struct convert *convert = convert_create(
		choice_format(choice), candidate_is_full_range(choice->candidate), &info);
	*reason = NULL;
	if (!convert)
		return ENCODER_FAILED;
	enum encoder_state state = run(&setup, convert, reason);
	convert_destroy(convert);
	return state;
}
