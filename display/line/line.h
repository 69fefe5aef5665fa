/* SPDX-License-Identifier: MIT */
/*
 * line: knows how good the connection to a head's client is. The kernel measures it on the socket
 * that the client connected to: round trip, rate, and what is under way. With that, a head makes
 * pictures as fast as the line takes them, instead of a queue of old ones.
 *
 * Only relayed clients have a line (relay/relay.h): those on TCP, not on unix sockets. Each head
 * has one, since spice-server shows a head to one client at a time. A head without a line waits for
 * nothing.
 *
 * Threads: any may ask. The thread that opens a line (the relay's) also closes it. A head's number
 * is the caller's to check: below FRAME_HEADS_MAX.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* It has room for the longest address with its port, "[IPv6%scope]:65535", and a NUL. */
#define LINE_CLIENT_BYTES 80

/*
 * A client whose round trip takes at least this many microseconds is not on our local network: its
 * line is taken to be slow until it was full.
 */
#define LINE_FAR_US 5000

struct line; /* of all heads */

struct line_figures {
	char client[LINE_CLIENT_BYTES]; /* "address:port" of the peer */
	uint32_t rtt_us, rtt_var_us;    /* smoothed round trip and its mean deviation */
	uint32_t rtt_min_us;            /* the least of late: time above it is spent in queues */
	/*
	 * The line carried this many bits per second when it was full. Before it was full this is
	 * the most that it was seen to carry, which is too low; 0: nothing was seen yet.
	 */
	uint64_t rate_bps;
	bool rate_is_floor; /* the line was not full yet */
	/*
	 * spice-server has written this many bytes for this head that the client's kernel has not
	 * acknowledged, wherever they are. What spice-server keeps does not count.
	 */
	uint32_t backlog_bytes;
	uint64_t acked_bytes; /* that the client's kernel has received, so far */
	uint32_t margin_ms;   /* how far the relay keeps the client's clock behind spice-server's */
};

struct line *line_create(void);
void line_destroy(struct line *line);

/* No more than so many bits per second are sent to all heads' clients together (line_cap.h), so
 * that no line is taken to carry more; 0: as much as they carry. */
void line_set_max(struct line *line, uint64_t max_bps);

/*
 * ---- for heads ----
 */

/* Asks the kernel, which takes about 2 us. Returns false, with *figures all 0, when there is no
 * line. */
bool line_get(struct line *line, unsigned head, struct line_figures *figures);

/*
 * `wake` is called once for each wait, as soon as the backlog is low enough or the line is gone: on
 * the relay's thread, with no lock held. It is set before anybody may connect; NULL: nobody is
 * woken.
 */
void line_set_wake(struct line *line, unsigned head, void (*wake)(void *user), void *user);

/*
 * Asks for one wake when the head's backlog is below `mark_bytes`. Returns false when it is
 * already, or when there is no line: then no wake will come. Asking again replaces the mark.
 */
bool line_wait_below(struct line *line, unsigned head, uint32_t mark_bytes);

/* Remembers that what this thread sends goes over this line, and gives it; NULL: not known. */
void line_set_of_thread(struct line *line);
struct line *line_of_thread(void);

/*
 * ---- for the relay ----
 */

struct line_open {
	int outer_fd; /* the client's TCP socket */
	int inner_fd; /* what spice-server writes arrives here */
	char client[LINE_CLIENT_BYTES];
	/*
	 * Is called on any thread when a head begins to wait: line_check() is due every few
	 * milliseconds from then on.
	 */
	void (*awaited)(void *user);
	void *user;
};

/*
 * Says that a head's display is relayed from now on; an older line of the head is forgotten.
 * Returns the line's name, never 0.
 */
unsigned line_open(struct line *line, unsigned head, const struct line_open *open);
/*
 * Must be called before the sockets are closed. Here and below, a name that is forgotten changes
 * nothing.
 */
void line_close(struct line *line, unsigned head, unsigned name);
/*
 * Both are the relay's figures: the bytes that it holds in its own memory, and by how many
 * milliseconds it keeps the client's clock behind spice-server's.
 */
void line_set_held(struct line *line, unsigned head, unsigned name, uint32_t held_bytes);
void line_set_margin(struct line *line, unsigned head, unsigned name, uint32_t margin_ms);
/* Wakes the head if it is time to. Returns whether it still waits. */
bool line_check(struct line *line, unsigned head, unsigned name);
