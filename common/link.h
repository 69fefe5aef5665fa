/* SPDX-License-Identifier: MIT */
/*
 * link: typed messages with descriptors over a SOCK_SEQPACKET socket pair.
 *
 * Both borders inside one desktop (frame link, keeper link) use it. A message is a fixed-size C
 * struct that begins with struct link_header; both ends are built from the same tree, so the native
 * layout is the wire layout. The receiver trusts nothing: type, exact size and number of
 * descriptors are checked against a table before a handler sees the message.
 *
 * Threads: a link is only a descriptor. Sends are atomic and may come from several threads;
 * receive from one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Largest message in bytes, header included: a 64x64 cursor image with room to spare. */
#define LINK_MESSAGE_MAX 32768
/* Most descriptors in one message. */
#define LINK_FDS_MAX 4

struct link_header {
	uint32_t type;
	uint32_t size_bytes; /* of the whole message, this header included */
};

struct link_handler {
	uint32_t type;
	const char *name; /* for logs */
	size_t size_bytes;
	unsigned fds_min, fds_max;
	/*
	 * `fds` holds n_fds descriptors owned by the link: a handler that keeps one stores it and
	 * sets fds[i] = -1; what is left is closed after the call. Returns false to drop the peer.
	 */
	bool (*handle)(void *user, const void *message, int *fds, unsigned n_fds);
};

/* Makes a connected pair, close-on-exec and non-blocking at both ends. Returns 0 or -errno. */
int link_pair(int fds[2]);

/*
 * Sends one message and never blocks. Fills in header.size_bytes. The descriptors stay the
 * caller's. Returns 0, -EAGAIN when the peer's queue is full, or another -errno (-EPIPE: gone).
 */
int link_send(int fd, void *message, size_t size_bytes, const int *fds, unsigned n_fds);

/*
 * Receives and dispatches at most one message, without blocking. Returns 1 when one was handled, 0
 * when none was waiting, -EPIPE when the peer is gone, -EPROTO when the message fits no table row
 * or the handler refused it (already logged with `peer`, the row's name and the reason).
 */
int link_dispatch(int fd, const char *peer, const struct link_handler *table, size_t table_length,
	void *user);

/* Waits until the link is readable (or has hung up). Returns true unless timeout_ms passed. */
bool link_wait_readable(int fd, int timeout_ms);
