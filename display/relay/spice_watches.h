/* SPDX-License-Identifier: MIT */
/*
 * spice watches: which messages concern the clock and the compression, and where in them.
 *
 * A client may ask for a compression by itself. It gets what it asks for, but lz for glz and
 * auto_lz for auto_glz: GLZ's dictionary holds the pixels of pictures that were sent
 * (spice-server's image-encoders.cpp), and after two of a whole head there are no buffers for
 * another (picture.h). What it saves is little (compression.h).
 *
 * Threads: the relay's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "display/relay/session.h"
#include "display/relay/spice_talk.h"

/* Of one connection. */
struct spice_watched {
	struct session *session; /* set by the time that messages come; owned */
	unsigned n_streams;
	bool plays;
	bool chooses; /* the client has asked for a compression */
};

/* Lets go of the session. */
void spice_watched_finish(struct spice_watched *watched);

/* For spice_talk_init, whose user is a struct spice_watched. */
extern const struct spice_talk_watch spice_watches[];
extern const unsigned spice_watches_length;

/* Worth relaying for the sake of clock or compression. */
bool spice_watches_channel(enum spice_link_channel channel);

/* PREFERRED_COMPRESSION, to spice-server: returns its size, or 0. small: see compression.h. */
size_t spice_watches_make_compression(
	const struct spice_talk *talk, bool small, uint8_t *bytes, size_t size_bytes);

/* MULTI_MEDIA_TIME: returns its size, or 0 (spice_talk_make). */
size_t spice_watches_make_time(
	const struct spice_talk *talk, uint32_t time_ms, uint8_t *bytes, size_t size_bytes);
