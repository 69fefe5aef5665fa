/* SPDX-License-Identifier: MIT */
/*
 * outer: is the client's end of a relayed connection. It is a TCP socket, with TLS on it where the
 * listener is for TLS, and WebSocket frames inside where the client speaks those. It takes no more
 * bytes at a time than the kernel will send soon: what waits in the kernel grows old and cannot be
 * replaced by something newer.
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

/* The kernel may hold this many bytes unsent: 13 ms at 10 Mbit/s. */
#define OUTER_UNSENT_BYTES 16384

#define OUTER_VANISHED_MS 10000

struct outer;

/* The socket stays the caller's and must be open until outer_destroy. Without credentials (NULL)
 * there is no TLS. Returns NULL when there is no TLS session to be had (logged). */
struct outer *outer_create(int fd, struct tls_credentials *credentials);
void outer_destroy(struct outer *outer);

/*
 * Sets the socket's options for SPICE, and so that the kernel notices a client that vanishes: by
 * the main channel, without which it has none, within OUTER_VANISHED_MS.
 */
void outer_prepare(const struct outer *outer, bool is_main);

/* Goes on with the TLS handshake. Returns 0 when it is done, -EAGAIN when it waits for the socket,
 * -EPROTO when it has failed, which *why explains, -EPIPE when the client ended in the middle of
 * it, else -errno. */
int outer_shake(struct outer *outer, const char **why);

/*
 * These are like read(2) and write(2), but return -errno. After -EAGAIN the next write must pass
 * the same bytes, and may pass more behind them. Reading returns 0 when the client has ended in
 * order, -ESHUTDOWN when it has said goodbye in a frame, and -EPROTO when it has broken a rule of
 * TLS or of WebSocket (outer_reason).
 */
ssize_t outer_read(struct outer *outer, uint8_t *bytes, size_t size_bytes);
ssize_t outer_write(struct outer *outer, const uint8_t *bytes, size_t size_bytes);

const char *outer_reason(const struct outer *outer);

/* Says goodbye in a WebSocket frame, if there are frames. */
void outer_close(struct outer *outer, enum websocket_status status);
/* Sends the frames of our own that wait, then says goodbye in TLS. Returns 0 when all of it is out
 * or cannot go out any more, and -EAGAIN when it waits for room. Nothing may be written afterwards.
 */
int outer_finish(struct outer *outer);

/*
 * Returns true when each write travels in TLS records or WebSocket frames of its own. The client's
 * library takes a whole record or frame from the socket. The client may then poll the socket
 * without asking the library whether it has more: spice-gtk does so after each message
 * (spice_channel_iterate_read). So a write must end where a SPICE message ends: the beginning of
 * the next one would wait in the library until something else is sent.
 */
bool outer_is_in_pieces(const struct outer *outer);
/* True says that several writes follow each other, so that small ones may share packets. False
 * sends what is left of them. */
void outer_set_more(const struct outer *outer, bool more);

/* Returns true when the socket must be polled for room, even if the caller has nothing to write. */
bool outer_wants_out(const struct outer *outer);

/*
 * Says that the client speaks in WebSocket frames from now on. `early` are bytes of frames that
 * were read with the request; they are copied. Returns false when there is no memory.
 */
bool outer_begin_frames(struct outer *outer, const uint8_t *early, size_t early_bytes);
