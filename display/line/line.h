/* SPDX-License-Identifier: MIT */
/*
 * line: how good the way to a head's client is, measured by the kernel on the socket that the
 * client connected to: round trip, rate, and what is under way on it. So that a head can make
 * pictures at the pace the line takes them, instead of a queue of old ones.
 *
 * Only clients that are relayed have one (relay/relay.h): TCP, not unix sockets, and one for each
 * head, since spice-server shows a head to one client at a time. No line is known: do not wait.
 *
 * Threads: any may ask. Whoever opens a line (the relay's thread) also closes it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Room for an address with its port: "[IPv6%scope]:65535". */
#define LINE_CLIENT_BYTES 80

/* Round trips from here on are not a local network's: such a line is thought slow until it was
 * full. */
#define LINE_FAR_US 5000

struct line; /* of all heads */

struct line_figures {
	char client[LINE_CLIENT_BYTES]; /* "address:port" of the peer */
	uint32_t rtt_us, rtt_var_us;    /* smoothed round trip and its mean deviation */
	uint32_t rtt_min_us;            /* the least of late: what is above it are queues */
	/* Bits a second that the line carried when it was full; before it was full: the most it was
	 * seen to carry, which is too low. 0: nothing seen yet. */
	uint64_t rate_bps;
	bool rate_is_floor; /* the line was not full yet */
	/* Taken from spice-server for this head and not acknowledged by the client's kernel, plus
	 * what spice-server has written and the relay has not taken. Does not count what
	 * spice-server keeps. */
	uint32_t backlog_bytes;
	uint64_t acked_bytes; /* that the client's kernel has received, so far */
	uint32_t margin_ms;   /* how far its clock is kept behind; 0: as spice-server says */
};

struct line *line_create(void);
void line_destroy(struct line *line);

/*
 * ---- for heads ----
 */

/* False: no line is known for the head, and *figures is all 0. Asks the kernel: about 2 us. */
bool line_get(struct line *line, unsigned head, struct line_figures *figures);

/*
 * Called once as soon as a backlog that was waited for is low enough, or the line is gone; from the
 * relay's thread, with no lock held. Set before anybody may connect; NULL: nobody to wake.
 */
void line_set_wake(struct line *line, unsigned head, void (*wake)(void *user), void *user);

/*
 * Asks for one wake when the head's backlog is below `mark_bytes`. False when it is already, or no
 * line is known: no wake will come. Asking again replaces the mark.
 */
bool line_wait_below(struct line *line, unsigned head, uint32_t mark_bytes);

/*
 * ---- for the relay ----
 */

struct line_open {
	int outer_fd; /* the client's TCP socket */
	int inner_fd; /* what spice-server writes arrives here */
	char client[LINE_CLIENT_BYTES];
	/* A head waits from now on: call line_check() every few milliseconds. From any thread. */
	void (*awaited)(void *user);
	void *user;
};

/* A head's display is relayed from now on; an older line of that head is forgotten. Returns its
 * name. */
unsigned line_open(struct line *line, unsigned head, const struct line_open *open);
/* Before the sockets are closed. A name that is forgotten changes nothing. */
void line_close(struct line *line, unsigned head, unsigned name);
/* How much the relay holds in its own memory. */
void line_set_held(struct line *line, unsigned head, unsigned name, uint32_t held_bytes);
void line_set_margin(struct line *line, unsigned head, unsigned name, uint32_t margin_ms);
/* Wakes the head if it is time to. False: nobody waits any more. */
bool line_check(struct line *line, unsigned head, unsigned name);
