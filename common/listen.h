/* SPDX-License-Identifier: MIT */
/*
 * listen makes listening sockets, TCP and unix. All are close-on-exec and non-blocking, and they
 * are the caller's to close.
 *
 * Any thread may call it. An address that is a name is looked up, which may take seconds.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* The kernel keeps this many connections until they are accepted, which our loops do at once. */
#define LISTEN_BACKLOG 1024

/*
 * Tells whether every address that `address` resolves to is a loopback one; false when it resolves
 * to none.
 */
bool listen_is_loopback(const char *address);

/* `port` is 1 to 65535. Returns the descriptor, or -1 with `error` set, which names address and
 * port. */
int listen_tcp(const char *address, unsigned port, GError **error);

/*
 * Keeps a TCP listener, and what is accepted from it, from connecting. A socket stays in the
 * network that it was made in, and whoever has been handed one may undo its connection and make
 * another: the kernel throws away what would answer that, and whoever accepts never gets such. It
 * is for good; a second time changes nothing. Newer kernels let only root do it.
 */
bool listen_never_connect(int fd, GError **error);

/* Listens on the first free port from `first` to `last`; *port says which that is. */
int listen_tcp_range(
	const char *address, unsigned first, unsigned last, unsigned *port, GError **error);

/*
 * Makes the socket file, with mode 0600; the caller unlinks it at the end. A file that a dead
 * listener left behind is replaced. One that somebody listens on, or that is no socket, is an
 * error.
 */
int listen_unix(const char *path, GError **error);
/* Does the same with a socket of type SOCK_SEQPACKET. */
int listen_unix_packets(const char *path, GError **error);
/* Connects to one of those, and waits for it for so long at most. Returns a blocking socket, or -1.
 */
int listen_connect_packets(const char *path, unsigned timeout_ms, GError **error);
