/* SPDX-License-Identifier: MIT */
/*
 * audience: knows which clients look at which head, and so how many pictures a second are worth
 * making.
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

/* Render is asked for this rate, in millihertz, while a client looks. */
#define AUDIENCE_RATE_MHZ 60000
#define AUDIENCE_HOLD_MS 300
/*
 * Pictures are made for this many milliseconds for a client that has connected but opens no
 * display.
 */
#define AUDIENCE_LINGER_MS 10000

struct audience;

struct audience_ops {
	/* Asks the owner to give the client to spice-server. `fd` is the callee's. */
	void (*admit)(void *user, int fd);
	/* Says that audience_rate_mhz may have changed for some head. */
	void (*rates)(void *user);
};

struct audience *audience_create(const struct audience_ops *ops, void *user);
void audience_destroy(struct audience *audience);

/*
 * Takes over the socket of a client that has connected, until it is admitted. `can_show` says that
 * a picture will come once render is asked for one; if not, the client is admitted at once.
 */
void audience_arrive(struct audience *audience, int fd, bool can_show);

/* Says that a picture was handed to spice-server: whoever is held back is admitted. */
void audience_frame_shown(struct audience *audience);

/* Says that a client has opened or closed the display of a head. */
void audience_look(struct audience *audience, unsigned head, bool looks);

bool audience_looks(const struct audience *audience, unsigned head);
uint32_t audience_rate_mhz(const struct audience *audience, unsigned head);
