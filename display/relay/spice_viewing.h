/* SPDX-License-Identifier: MIT */
/*
 * spice viewing: takes out of what a client says all that would change something, for one that came
 * with a view-only password. It may answer what spice-server asks of every client, and say how it
 * wants to be shown pictures; keys, the pointer, the agent's messages (clipboard, sizes, files),
 * its microphone and devices are left out without a word, since a client that is cut off from a
 * channel reports a fault.
 *
 * It reads the client's bytes before anything else does, in pieces of any size.
 *
 * It allocates nothing. Threads: any, one at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "display/relay/limits.h"

struct spice_viewing {
	uint8_t channel;                     /* SPICE's number of its type */
	bool mini_header;                    /* messages have short headers */
	bool drives;                         /* all passes from the next message on */
	bool drops;                          /* the message that passes is left out */
	uint64_t left_bytes;                 /* of it */
	uint8_t held[SPICE_TALK_HEADER_MAX]; /* a header's beginning */
	size_t held_bytes;
};

void spice_viewing_begin(struct spice_viewing *viewing, uint8_t channel, bool mini_header);

/*
 * Takes out of `size_bytes` bytes what may not pass; the first `held_bytes` of them must be what is
 * held. Returns how many are left, at the beginning. A header that is not complete is held.
 */
size_t spice_viewing_filter(struct spice_viewing *viewing, uint8_t *bytes, size_t size_bytes);
