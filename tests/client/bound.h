/* SPDX-License-Identifier: MIT */
/*
 * bound: makes sockets that are bound to an address of their own, for whoever listens on them.
 *
 * Threads: any.
 */
#pragma once

#include <sys/socket.h>

/* On the loopback; the port is a free one. */
int bound_tcp(struct sockaddr_storage *address, socklen_t *address_bytes);
int bound_unix(const char *path, struct sockaddr_storage *address, socklen_t *address_bytes);
