/* SPDX-License-Identifier: MIT */
/*
 * convert: is a GStreamer element that turns a screen's pixels (BGRx, BGRA) into what encoders
 * take, by libyuv. It needs a third of the time of videoconvert (tests/bench/bench-encode prints
 * both), which spice-server puts in front of it and which then passes pictures through.
 *
 * The matrix is BT.601 for every size, since libyuv has no other. The range is 16-235 for video and
 * 0-255 for JPEG, which knows no other. The caps say so, encoders write it into the stream (H.264:
 * VUI), and decoders read it there.
 *
 * Both sides of a picture must be even for formats that halve the colours: H.264 cannot say
 * otherwise.
 */
#pragma once

#include <gst/gst.h>
#include <stdbool.h>

/* Makes the element. `format` is "I420", "NV12" or "Y444". Returns a floating reference. */
GstElement *convert_new(const char *format, bool full_range);
