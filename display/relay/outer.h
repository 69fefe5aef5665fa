/* SPDX-License-Identifier: MIT */
/*
 * outer: the client's end of a relayed connection. Takes no more at a time than the line is about to
 * send, so that what waits is not in the kernel, and old.
 *
 * Threads: the relay's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Not sent yet, in the kernel: 13 ms of 10 Mbit/s. */
#define OUTER_UNSENT_BYTES 16384

/* Sets the socket's options; a client that vanishes is noticed. */
void outer_prepare(int fd);

/* As read(2) and write(2), but return -errno. -EAGAIN: poll. */
ssize_t outer_read(int fd, uint8_t *bytes, size_t size_bytes);
ssize_t outer_write(int fd, const uint8_t *bytes, size_t size_bytes);

/* "address:port" of the peer. */
void outer_describe(int fd, char *text, size_t size_bytes);
