/* SPDX-License-Identifier: MIT */
/*
 * video: the encoders inside spice-server's own streams.
 *
 * spice-server builds `appsrc ! videoconvert ! x264enc name=encoder ... ! appsink` (vp8enc and
 * avenc_mjpeg for the other codecs; gstreamer-encoder.c, 0.15) and looks these names up in the
 * process's GStreamer registry. video_init() registers elements of ours under them (facade.h): each
 * holds the best encoder of this machine that passed a trial (candidates.h, trial.h), set up for
 * low delay, behind a cheaper colour conversion (convert.h). Everything else of the stream, its
 * rate control included, stays spice-server's.
 *
 * Once per process. Must run before the first stream begins. A plugin that has an element of such a
 * name and is loaded later takes the name back; nothing in vitrine-display loads one (libav's
 * would).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct video_options {
	/* Name of a candidate (candidates.h), which alone serves its codec then, and that codec is
	 * preferred; NULL: what works best. */
	char *encoder;
	/*
	 * H.264 in 4:4:4: colours as sharp as brightness, which coloured text in a video needs. A
	 * client tells that it takes H.264, never which profile of it: software decoders take it,
	 * those in hardware and browsers mostly do not and show nothing. So never by itself.
	 */
	bool chroma_444;
};

/*
 * What video_start() does in its thread: tries the candidates and registers the elements. Takes a
 * few hundred milliseconds, longer when GStreamer scans its plugins for the first time; any thread.
 * False when GStreamer cannot be used, or no candidate is named `options->encoder` and works: the
 * line says so, and what stands there otherwise is used.
 */
bool video_init(const struct video_options *options);

/*
 * video_init() on a thread of its own, so that clients do not wait for it; `done` is called once on
 * the main loop unless video_stop() comes first, and the choice is said in one log line. Until then
 * spice-server may be told only of codecs that do not use GStreamer ("spice:mjpeg"). `options` are
 * copied, its text is not.
 */
void video_start(const struct video_options *options, void (*done)(void *user), void *user);
/* Waits for the thread. Elements stay registered. */
void video_stop(void);

/* What spice_server_set_video_codecs() should be told: the codecs that have an encoder, best first.
 */
const char *video_codecs(void);

/*
 * Whom to ask for the bits per second that the line to the client carries, 0 when unknown (rate.h):
 * before each picture, from any thread, with a lock held that setting takes too. NULL: nobody any
 * more.
 */
void video_set_line(uint64_t (*line_bps)(void *user), void *user);
