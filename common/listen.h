/* SPDX-License-Identifier: MIT */
/*
 * listen: listening sockets, TCP and unix. All are close-on-exec and non-blocking.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* True when every address that `address` resolves to is a loopback one. */
bool listen_is_loopback(const char *address);

/* `port` 1 to 65535. Returns the descriptor, or -1 with `error` set, naming address and port. */
int listen_tcp(const char *address, unsigned port, GError **error);

/* The first free port from `first` to `last`; *port says which. */
int listen_tcp_range(
	const char *address, unsigned first, unsigned last, unsigned *port, GError **error);

/*
 * Makes the socket file with mode 0600. A file left behind by a listener that is gone is replaced;
 * one that somebody listens on, or that is no socket, is an error. The caller unlinks it at the
 * end.
 */
int listen_unix(const char *path, GError **error);
/* The same, of type SOCK_SEQPACKET. */
int listen_unix_packets(const char *path, GError **error);
