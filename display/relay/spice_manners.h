/* SPDX-License-Identifier: MIT */
/*
 * spice manners: knows what a client may say on each channel. spice-server (0.15.1) aborts, with
 * all of display, at some messages that any client can send: those of migration, a second INIT, an
 * agent's tokens before the agent is started, half an agent's message (docs/spice-aborts.md has
 * each). So there is a table of what is let pass, and for a few kinds a look at what they say. The
 * rest ends the client's connection.
 *
 * Threads: any, one at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one channel of a client has said. Zeroes: nothing. */
struct spice_manners {
	bool had_init;             /* of a display channel */
	bool agent_started;        /* of a main channel */
	uint32_t n_modes;          /* of a record channel */
	uint32_t agent_left_bytes; /* of the message to the agent that it is saying */
};

/*
 * Judges a message of this type on a channel of this type, as the link message has it. Returns 1
 * when it may pass, and takes it for said then; 0 when that depends on more of it, of which only
 * `there_bytes` are there; else -EPROTO. It never waits for more than SPICE_MANNERS_HELD_MAX.
 */
int spice_manners_judge(struct spice_manners *manners, uint8_t channel, uint16_t type,
	const uint8_t *body, uint32_t body_bytes, size_t there_bytes);
