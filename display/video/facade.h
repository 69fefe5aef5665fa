/* SPDX-License-Identifier: MIT */
/*
 * facade: is the element that stands under a name that spice-server looks up ("x264enc", "vp8enc",
 * "avenc_mjpeg"). Behind it encodes whoever can best (choices.h), on a thread of its own
 * (encoder.h).
 *
 * It takes every property that spice-server sets on the element of that name, and follows only the
 * bit rate (rate.h); its candidate decides the rest. Exactly one buffer leaves for each that came,
 * before the next comes. When an encoder fails or does not answer, the same picture is given to the
 * next one, so that the stream goes on with a key frame. A picture that nobody can encode posts an
 * error, since spice-server waits for one or the other. When a better encoder may be used again, it
 * takes over.
 *
 * Threads: any makes and uses elements. choices_set() must be called before a codec's first
 * picture.
 */
#pragma once

#include <gst/gst.h>
#include <stdint.h>

#include "display/video/candidates.h"

/*
 * Returns the type of a codec's element, to be registered under the name that spice-server looks
 * up.
 */
GType facade_type(enum candidate_codec codec);

/* video_set_line() says what the function must keep to. */
void facade_set_line(uint64_t (*line_bps)(void *user), void *user);
