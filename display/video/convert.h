/* SPDX-License-Identifier: MIT */
/*
 * convert: a GStreamer element that turns a screen's pixels (BGRx, BGRA) into what encoders take,
 * by libyuv: a third of the time that videoconvert needs, which passes frames through when the
 * element behind it takes them as they are (tests/bench/bench-encode prints both).
 *
 * The matrix is BT.601 for every size, the one libyuv has; range 16-235 for video and 0-255 for
 * JPEG, which knows no other. The caps say so, encoders write it into the stream (H.264: VUI), and
 * decoders read it there.
 *
 * Both sides of a picture must be even for formats that halve the colours: H.264 cannot say
 * otherwise.
 */
#pragma once

#include <gst/gst.h>
#include <stdbool.h>

/* `format`: "I420", "NV12" or "Y444". A floating reference. */
GstElement *convert_new(const char *format, bool full_range);
