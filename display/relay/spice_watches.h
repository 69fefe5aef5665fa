/* SPDX-License-Identifier: MIT */
/*
 * spice watches: which messages concern the clock, and where in them.
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
};

/* Lets go of the session. */
void spice_watched_finish(struct spice_watched *watched);

/* For spice_talk_init, whose user is a struct spice_watched. */
extern const struct spice_talk_watch spice_watches[];
extern const unsigned spice_watches_length;

/* Worth relaying for the clock's sake. */
bool spice_watches_channel(enum spice_link_channel channel);

/* MULTI_MEDIA_TIME: returns its size, or 0 (spice_talk_make). */
size_t spice_watches_make_time(
		const struct spice_talk *talk, uint32_t time_ms, uint8_t *bytes, size_t size_bytes);
