/* SPDX-License-Identifier: MIT */
/*
 * video_rig: runs spice-server's encoder pipeline, string for string (gstreamer-encoder.c, 0.15),
 * fed by a test. It also has a decoder as clients have it, pictures to feed, and a measure of what
 * came back.
 */
#pragma once

#include <gst/gst.h>
#include <stdbool.h>
#include <stdint.h>

struct video_rig;

/*
 * `codec` is "h264", "vp8" or "mjpeg". The bit rate is set as spice-server does; 0 leaves it unset.
 */
struct video_rig *video_rig_new(
	const char *codec, uint32_t width, uint32_t height, unsigned fps, uint64_t bits_per_second);
/*
 * Makes a rig with another pipeline, whose ends are named src and sink and whose encoder `encoder`.
 */
struct video_rig *video_rig_new_pipeline(const char *description, uint32_t width, uint32_t height,
	unsigned fps, uint64_t bits_per_second);
void video_rig_free(struct video_rig *rig);
void video_rig_set_rate(struct video_rig *rig, uint64_t bits_per_second);

/* Encodes a picture of the rig's size, BGRx. Returns NULL after `timeout_ms` or an error. */
GstBuffer *video_rig_encode(struct video_rig *rig, const uint32_t *pixels, unsigned timeout_ms);

/* Returns whether an element has said that it cannot go on. */
bool video_rig_failed(struct video_rig *rig);

struct video_decoder;
struct video_decoder *video_decoder_new(const char *codec);
void video_decoder_free(struct video_decoder *decoder);
/* Pushes one encoded picture and takes its reference. */
void video_decoder_push(struct video_decoder *decoder, GstBuffer *buffer);
/* Returns the next decoded picture in BGRx, or NULL after the timeout. Free it with g_free(). */
uint32_t *video_decoder_pull(
	struct video_decoder *decoder, unsigned timeout_ms, uint32_t *width, uint32_t *height);

/* Draws a picture of a film: texture that moves, objects on it, grain. */
void video_scene(uint32_t *pixels, uint32_t width, uint32_t height, unsigned number);

/* Returns the SSIM of luma (BT.709 of both), as the mean over 8x8 windows. */
double video_ssim(const uint32_t *a, const uint32_t *b, uint32_t width, uint32_t height);
