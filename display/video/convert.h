/* SPDX-License-Identifier: MIT */
/*
 * convert: turns a screen's pixels (BGRx, BGRA) into what encoders take, by libyuv. It needs a
 * third of the time of videoconvert (tests/bench/bench-encode prints both), which spice-server puts
 * in front of our element and which then passes pictures through.
 *
 * The matrix is BT.601 for every size, since libyuv has no other. The range is 16-235 for video and
 * 0-255 for JPEG, which knows no other. The caps say so, encoders write it into the stream (H.264:
 * VUI), and decoders read it there.
 *
 * What it makes is in memory of its own: an encoder that hangs may keep it for ever.
 *
 * Threads: one at a time.
 */
#pragma once

#include <gst/video/video.h>
#include <stdbool.h>

struct convert;

/*
 * Returns false when a side of the pictures is odd and the format halves the colours: H.264 cannot
 * say otherwise.
 */
bool convert_takes_size(const char *format, int width, int height);

/* `format` is "I420", "NV12" or "Y444". Returns NULL when it does not take pictures of that size.
 */
struct convert *convert_create(const char *format, bool full_range, const GstVideoInfo *in);
void convert_destroy(struct convert *convert);

/* Returns the caps of what is made; they stay convert's. */
GstCaps *convert_caps(const struct convert *convert);

/* Returns the converted picture, which has the times of `in`, or NULL. `in` stays the caller's. */
GstBuffer *convert_picture(struct convert *convert, GstBuffer *in);
