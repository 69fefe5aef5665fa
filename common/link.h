/* SPDX-License-Identifier: MIT */
/*
 * link carries typed messages with descriptors over a SOCK_SEQPACKET socket pair.
 *
 * Both borders inside one desktop (frame link, keeper link) use it. A message is a C struct of
 * fixed size that begins with struct link_header. Both ends are built from the same tree, so the
 * native layout is the wire's. The receiver trusts nothing: type, exact size and number of
 * descriptors are checked against a table before a handler sees the message.
 *
 * Threads: a link is only a descriptor. Sends are atomic and may come from several threads; one
 * thread receives.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A message has at most this many bytes, header included: a cursor image of 64x64 fits, with room
 * to spare. A longer one is refused like one that fits no row.
 */
#define LINK_MESSAGE_MAX 32768
/*
 * A message carries at most this many descriptors; more are closed unseen, and the message is
 * refused.
 */
#define LINK_FDS_MAX 4

struct link_header {
	uint32_t type;
	uint32_t size_bytes; /* of the whole message, this header included */
};

struct link_handler {
	uint32_t type;
	const char *name; /* for the log */
	size_t size_bytes;
	unsigned fds_min, fds_max;
	/*
	 * `fds` has n_fds descriptors, which are the link's. A handler that keeps one stores it and
	 * sets fds[i] to -1; the rest is closed after the call. Returns false to drop the peer.
	 */
	bool (*handle)(void *user, const void *message, int *fds, unsigned n_fds);
};

/* Makes a connected pair; both ends are close-on-exec and non-blocking. Returns 0 or -errno. */
int link_pair(int fds[2]);

/*
 * Sends one message and never blocks. It fills in header.size_bytes; the descriptors stay the
 * caller's. Returns 0, -EAGAIN when the peer's queue is full, or another -errno (-EPIPE: the peer
 * is gone).
 */
int link_send(int fd, void *message, size_t size_bytes, const int *fds, unsigned n_fds);

/*
 * Receives at most one message and calls its row's handler, without blocking. Returns 1 when one
 * was handled, 0 when none waited, -EPIPE when the peer is gone, and -EPROTO when the message fits
 * no row or its handler refused it (logged with `peer`, the row's name and the reason).
 */
int link_dispatch(int fd, const char *peer, const struct link_handler *table, size_t table_length,
	void *user);

/* Waits until the link can be read or has hung up. Returns false when timeout_ms passed before. */
bool link_wait_readable(int fd, int timeout_ms);
