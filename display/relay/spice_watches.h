/* SPDX-License-Identifier: MIT */
/*
 * spice watches: lists the SPICE messages that concern the clock and the compression, and where in
 * their bodies the values are that the relay reads or changes.
 *
 * A client may ask for a compression by itself. It gets the one that it asks for, with two
 * exceptions: it gets lz for glz, and auto_lz for auto_glz. GLZ's dictionary holds the pixels of
 * bitmaps that were sent (spice-server's image-encoders.cpp). After two bitmaps of a whole head no
 * buffer would be left for a third (BITMAP_SOURCES_MAX in painting/limits.h). GLZ saves little
 * (compression.h).
 *
 * Threads: the relay's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <netinet/in.h>
#include <stdint.h>

#include "display/relay/session.h"
#include "display/relay/spice_talk.h"

/* It holds what the watches know of one connection. */
struct spice_watched {
	struct session *session; /* owned; the connection sets it before messages come */
	unsigned n_streams;      /* video streams that are shown */
	bool plays;              /* sound */
	bool chooses;            /* the client has asked for a compression */
};

/*
 * Takes back what the connection said to its session of streams and sound, and drops the reference.
 */
void spice_watched_finish(struct spice_watched *watched);

/* This is the table for spice_talk_init. The `user` given there must be a struct spice_watched. */
extern const struct spice_talk_watch spice_watches[];
extern const unsigned spice_watches_length;

/* Writes the message PREFERRED_COMPRESSION for spice-server; `small` is compression_small's answer.
 * Returns its size, or 0 where spice_talk_make does. */
size_t spice_watches_make_compression(
	const struct spice_talk *talk, bool small, uint8_t *bytes, size_t size_bytes);

/* Where a client is to come again. */
struct spice_watches_place {
	char host[INET6_ADDRSTRLEN];
	uint16_t port, tls_port; /* 0: none */
	const char *subject;     /* of the certificate there; NULL: the client is not told */
};

/* Writes the message MIGRATE_SWITCH_HOST: the client connects there, with the password that it has.
 * Returns its size, or 0 as above, or when the subject is longer than SWITCH_SUBJECT_BYTES_MAX. */
size_t spice_watches_make_switch(const struct spice_talk *talk,
	const struct spice_watches_place *place, uint8_t *bytes, size_t size_bytes);

/* Writes the message NOTIFY, with words for people. Returns its size, or 0 as above. */
size_t spice_watches_make_notice(
	const struct spice_talk *talk, const char *words, uint8_t *bytes, size_t size_bytes);

/* Writes the message MULTI_MEDIA_TIME for the client. Returns its size, or 0 as above. */
size_t spice_watches_make_time(
	const struct spice_talk *talk, uint32_t time_ms, uint8_t *bytes, size_t size_bytes);
