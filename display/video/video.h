/* SPDX-License-Identifier: MIT */
/*
 * video: puts this machine's encoders into spice-server's own video streams.
 *
 * spice-server builds `appsrc ! videoconvert ! x264enc name=encoder ... ! appsink` (vp8enc and
 * avenc_mjpeg for the other codecs; gstreamer-encoder.c, 0.15) and looks these names up in the
 * process's GStreamer registry. video_init() registers elements of ours under them (facade.h): each
 * holds the best encoder of this machine that passed a trial (candidates.h, trial.h), set up for
 * low delay, behind a cheaper colour conversion (convert.h). Everything else of the stream, its
 * rate control included, stays spice-server's.
 *
 * This is done once per process, before the first stream begins. A plugin that is loaded later and
 * has an element of such a name would take the name back (libav's would); nothing in
 * vitrine-display loads one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct video_options {
	/*
	 * This is the name of a candidate (candidates.h): it alone serves its codec then, and that
	 * codec is preferred. NULL: each codec is served by what works best.
	 */
	char *encoder;
	/*
	 * H.264 in 4:4:4 has colours as sharp as brightness, which coloured text in a video needs.
	 * A client says that it takes H.264, but never which profile. Software decoders take this
	 * one; hardware and browsers mostly do not, and show nothing. So it must be asked for.
	 */
	bool chroma_444;
};

/* It says of an encoder what it is and whether it serves; texts are only for the call. */
struct video_encoder {
	const char *name, *element, *codec;
	/* What the element's property for it offers ("cbr, vbr, cqp"); NULL: it has none. */
	const char *rate_controls;
	const char *sizes;  /* "160x160 to 4096x4096" */
	const char *reason; /* why it does not serve; NULL: it does */
};

/*
 * Starts GStreamer, which executes a program of its own when it finds plugins that it does not know
 * yet, and then takes seconds. It is called before the process is confined, while there is one
 * thread.
 *
 * `node` is the render node of the GPU that draws the desktop, NULL where that is not known. Of
 * several GPUs, only encoders of this one are used, but for one that was asked for by its name.
 */
void video_load(const char *node);

/*
 * Tries the candidates and registers the elements; video_start() does this in its thread. It takes
 * a few hundred milliseconds. It may be called on any thread. Returns false (logged) when GStreamer
 * cannot be used, or when no candidate of the name options->encoder works; in the latter case the
 * best one serves.
 */
bool video_init(const struct video_options *options);

struct video_listener {
	bool software; /* what encodes on a GPU is neither loaded nor told */
	/* Says which one is loaded or tried next: drivers crash in both, and hang. */
	void (*begin)(void *user, const char *name);
	void (*tell)(void *user, const struct video_encoder *encoder);
	void *user;
};

/* Says of each encoder on this machine that we know how to set up what its trial showed. */
void video_describe(const struct video_listener *listener);

/*
 * Runs video_init() on a thread of its own, so that clients do not wait for it. `done` is called
 * on the main loop, unless video_stop() comes first, and one log line says what was chosen; and
 * once more for a codec that had hardware alone, which was busy, when a trial in a later minute
 * shows that it serves or never will. Until then spice-server may be told only of codecs that do
 * not use GStreamer ("spice:mjpeg"). The options are copied, but their text is not.
 */
void video_start(const struct video_options *options, void (*done)(void *user), void *user);
/* Tells, once `done` was called, whether an encoder on a GPU serves, or may do so later. */
bool video_uses_gpu(void);
/* Waits for the thread. `done` is not called after this. Elements stay registered. */
void video_stop(void);

/*
 * Returns the codecs that have an encoder, best first, as spice_server_set_video_codecs() takes
 * them. The text is video's.
 */
const char *video_codecs(void);

/*
 * `line_bps` says how many bits per second the line to the client carries (rate.h), 0 when that is
 * not known. It is called before each picture, on any thread, with a lock held that this function
 * takes, too: nobody is in it once it was replaced. NULL: nobody is asked any more.
 */
void video_set_line(uint64_t (*line_bps)(void *user), void *user);
