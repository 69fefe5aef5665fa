/* SPDX-License-Identifier: MIT */
/*
 * audience: who looks at which head, and so how many pictures are worth making.
 *
 * Nobody looks: render is told rate 0 and does nothing. Somebody who arrives then is held back
 * until a picture has been made for them, AUDIENCE_HOLD_MS at most, so that the first thing they
 * see is the guest and not what it looked like long ago.
 *
 * Threads: main loop. A timer runs only while somebody is awaited.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What is asked of render while somebody looks, in millihertz. */
#define AUDIENCE_RATE_MHZ 60000
#define AUDIENCE_HOLD_MS 300
/* How long pictures are made for a client that has connected but opened no display. */
#define AUDIENCE_LINGER_MS 10000

struct audience;

struct audience_ops {
	/* `fd` is the callee's: give the client to spice-server. */
	void (*admit)(void *user, int fd);
	/* audience_rate_mhz has changed for some head. */
	void (*rates)(void *user);
};

struct audience *audience_create(const struct audience_ops *ops, void *user);
void audience_destroy(struct audience *audience);

/* Somebody connected. can_show: a picture will come once it is asked for. Takes the socket over. */
void audience_arrive(struct audience *audience, int fd, bool can_show);

/* A picture has been handed to spice-server. */
void audience_frame_shown(struct audience *audience);

/* A client opened or closed the display of a head. */
void audience_look(struct audience *audience, unsigned head, bool looks);

bool audience_looks(const struct audience *audience, unsigned head);
uint32_t audience_rate_mhz(const struct audience *audience, unsigned head);
