/* SPDX-License-Identifier: MIT */
/*
 * spice link: reads the first message of a connection, which says what channel it is for. Its
 * layout is SpiceLinkHeader, SpiceLinkMess and capability words (spice/protocol.h).
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum spice_link_channel {
	SPICE_LINK_CHANNEL_OTHER,
	SPICE_LINK_CHANNEL_MAIN,
	SPICE_LINK_CHANNEL_DISPLAY,
	SPICE_LINK_CHANNEL_PLAYBACK,
	SPICE_LINK_CHANNEL_INPUTS,
};

enum spice_link_fault {
	SPICE_LINK_SOUND,
	SPICE_LINK_BAD_VERSION,      /* speaks another version of SPICE */
	SPICE_LINK_BAD_CAPABILITIES, /* they do not lie within the message */
};

struct spice_link {
	size_t size_bytes; /* of the message */
	enum spice_link_fault fault;
	uint32_t session; /* the main channel's, as spice-server named it; 0 for main itself */
	enum spice_link_channel channel;
	uint8_t type;               /* of channel, as the message has it */
	uint8_t id;                 /* of channels of this kind; of a display: the head */
	unsigned words_at, n_words; /* the channel's capabilities, in the message */
	bool auth_selection;        /* says how it authenticates before it does */
	bool mini_header;           /* takes short message headers */
	bool display;               /* a display channel */
	bool gl_scanout;            /* that takes dma-bufs */
};

enum spice_link_state {
	SPICE_LINK_MORE,  /* not all is there yet */
	SPICE_LINK_KNOWN, /* *link is filled in */
	SPICE_LINK_OTHER, /* TLS, WebSocket or nonsense; or the peer has gone */
};

/* Reads the message from memory. */
enum spice_link_state spice_link_parse(
	const uint8_t *bytes, size_t size_bytes, struct spice_link *link);
