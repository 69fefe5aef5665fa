/* SPDX-License-Identifier: MIT */
/*
 * outer: the client's end of a relayed connection: TCP, in TLS where that is asked for, in
 * WebSocket frames where the client speaks those. Takes no more at a time than the line is about to
 * send, so that what waits is not in the kernel, and old.
 *
 * Threads: the relay's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "display/relay/tls.h"
#include "display/relay/websocket.h"

/* Not sent yet, in the kernel: 13 ms of 10 Mbit/s. */
#define OUTER_UNSENT_BYTES 16384

struct outer;

/* The socket stays the caller's and must be there until the end. NULL credentials: no TLS. NULL:
 * TLS cannot be had (logged). */
struct outer *outer_create(int fd, struct tls_credentials *credentials);
void outer_destroy(struct outer *outer);

/* Sets the socket's options for SPICE; a client that vanishes is noticed. */
void outer_prepare(const struct outer *outer);

/* 0: ready to read and write; -EAGAIN: poll; -EPROTO: it has failed, and *why says how; -EPIPE: the
 * client ended in the middle of it; else -errno. */
int outer_shake(struct outer *outer, const char **why);

/*
 * As read(2) and write(2), but return -errno. -EAGAIN: poll; a write must come again with the same
 * bytes, or more that begin with them. Reading returns 0 where the client ended in order,
 * -ESHUTDOWN where it said goodbye in a frame, -EPROTO where it broke a rule of TLS or of frames
 * (outer_reason).
 */
ssize_t outer_read(struct outer *outer, uint8_t *bytes, size_t size_bytes);
ssize_t outer_write(struct outer *outer, const uint8_t *bytes, size_t size_bytes);

const char *outer_reason(const struct outer *outer);

/* Says goodbye in a frame, where there are frames. */
void outer_close(struct outer *outer, enum websocket_status status);
/* Sends what waits of our own, and says goodbye in TLS. 0: it is out, or there is no way to get it
 * out; -EAGAIN: poll for room. Nothing may be written afterwards. */
int outer_finish(struct outer *outer);

/*
 * True: each writing travels in TLS records or WebSocket frames of its own. The client's library
 * takes a whole one from the socket, and a client may then poll the socket without asking the
 * library whether it has more: spice-gtk does after each message (spice_channel_iterate_read). So
 * no writing may go on behind the end of a SPICE message: the next one would wait there until
 * something else is sent.
 */
bool outer_is_in_pieces(const struct outer *outer);
/* True: several writings follow each other, and small ones may share packets. False sends what is
 * left of them. */
void outer_set_more(const struct outer *outer, bool more);

/* Poll for room, whether there is anything to write or not. */
bool outer_wants_out(const struct outer *outer);

/* From now on in frames. `early` has been read already. False: no memory, or too much. */
bool outer_begin_frames(struct outer *outer, const uint8_t *early, size_t early_bytes);

/* "address:port" of the peer, or that it is on the unix socket. */
void outer_describe(const struct outer *outer, char *text, size_t size_bytes);
