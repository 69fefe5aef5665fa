/* SPDX-License-Identifier: MIT */
/*
 * audience: which clients look at which head, and so how many pictures a second are worth making.
 *
 * While no client looks, render is told rate 0 and makes no picture. A client that arrives then is
 * held back until a picture has been made for it, AUDIENCE_HOLD_MS at most: so the first thing that
 * it shows is the guest as it is, and not as it was long ago.
 *
 * Threads: main loop. A timer runs only while somebody is awaited.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The rate that render is asked for while a client looks, in millihertz. */
#define AUDIENCE_RATE_MHZ 60000
#define AUDIENCE_HOLD_MS 300
/* How long pictures are made for a client that has connected but has opened no display. In
 * milliseconds, as above. */
#define AUDIENCE_LINGER_MS 10000

struct audience;

struct audience_ops {
	/* Asks the owner to give the client to spice-server. `fd` is the callee's. */
	void (*admit)(void *user, int fd);
	/* audience_rate_mhz has changed for some head. */
	void (*rates)(void *user);
};

struct audience *audience_create(const struct audience_ops *ops, void *user);
void audience_destroy(struct audience *audience);

/* A client connected. Takes the socket over until it is admitted. `can_show` says that a picture
 * will come once render is asked for one; if not, the client is admitted at once. */
void audience_arrive(struct audience *audience, int fd, bool can_show);

/* A picture has been handed to spice-server. */
void audience_frame_shown(struct audience *audience);

/* A client opened or closed the display of a head. */
void audience_look(struct audience *audience, unsigned head, bool looks);

bool audience_looks(const struct audience *audience, unsigned head);
uint32_t audience_rate_mhz(const struct audience *audience, unsigned head);
