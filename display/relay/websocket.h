/* SPDX-License-Identifier: MIT */
/*
 * websocket: SPICE in WebSocket frames, as clients in browsers speak it (RFC 6455; sub-protocol
 * "binary"). The frames are wslay's work; it keeps nothing of what passes but a frame's header.
 *
 * Browsers let any page connect to any address. Where no password is asked for, a page must
 * therefore come from the very host it connects to, by a number or "localhost": a name could be
 * anybody's.
 *
 * Threads: the relay's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WEBSOCKET_REQUEST_BYTES_MAX 4096
#define WEBSOCKET_ANSWER_BYTES_MAX 512

enum websocket_state {
	WEBSOCKET_MORE,    /* the request is not all there yet */
	WEBSOCKET_GOOD,    /* frames follow the answer */
	WEBSOCKET_REFUSED, /* hang up after the answer */
};

struct websocket_answer {
	size_t request_bytes; /* of what was passed in; frames may follow at once */
	char text[WEBSOCKET_ANSWER_BYTES_MAX];
};

/* Looks at what a client said first. open: no password will be asked for. */
enum websocket_state websocket_answer(
	const uint8_t *bytes, size_t size_bytes, bool open, struct websocket_answer *answer);

struct websocket;

/* What frames travel on: as read(2) and write(2), but return -errno. */
struct websocket_ops {
	ssize_t (*read)(void *user, uint8_t *bytes, size_t size_bytes);
	ssize_t (*write)(void *user, const uint8_t *bytes, size_t size_bytes);
};

struct websocket *websocket_create(const struct websocket_ops *ops, void *user);
void websocket_destroy(struct websocket *websocket);

/* As read(2) and write(2) of what is in the frames, but return -errno. 0: the client said goodbye.
 */
ssize_t websocket_read(struct websocket *websocket, uint8_t *bytes, size_t size_bytes);
/* After -EAGAIN: the same bytes again, or more that begin with them. */
ssize_t websocket_write(struct websocket *websocket, const uint8_t *bytes, size_t size_bytes);
/* An answer to a ping waits for room. */
bool websocket_wants_out(const struct websocket *websocket);
