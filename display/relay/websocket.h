/* SPDX-License-Identifier: MIT */
/*
 * websocket: SPICE in WebSocket frames, as clients in browsers speak it (RFC 6455; sub-protocol
 * "binary"). wslay reads and writes the frames; it keeps nothing of what passes but a frame's
 * header. websocket.c keeps the rules that wslay leaves to its user: masks, reserved bits,
 * fragments, and the closing handshake.
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

#define WEBSOCKET_ANSWER_BYTES_MAX 512

enum websocket_state {
	WEBSOCKET_MORE,    /* the request is not all there yet */
	WEBSOCKET_GOOD,    /* frames follow the answer */
	WEBSOCKET_REFUSED, /* hang up after the answer */
};

struct websocket_answer {
	size_t request_bytes; /* of what was passed in; frames may follow at once */
	const char *why;      /* it is refused: for the log */
	char text[WEBSOCKET_ANSWER_BYTES_MAX];
};

/* Looks at all that a client has said so far. open: no password will be asked for. seen_bytes: see
 * http_request_read. */
enum websocket_state websocket_answer(const uint8_t *bytes, size_t size_bytes, bool open,
	size_t *seen_bytes, struct websocket_answer *answer);

struct websocket;

/* What frames travel on: as read(2) and write(2), but return -errno. */
struct websocket_ops {
	ssize_t (*read)(void *user, uint8_t *bytes, size_t size_bytes);
	ssize_t (*write)(void *user, const uint8_t *bytes, size_t size_bytes);
};

/* Why a connection is closed (RFC 6455, 7.4.1). */
enum websocket_status {
	WEBSOCKET_NORMAL = 1000,
	WEBSOCKET_GOING_AWAY = 1001,   /* we end */
	WEBSOCKET_BROKEN = 1002,       /* the client breaks the protocol's rules */
	WEBSOCKET_NOT_BINARY = 1003,   /* text: SPICE has none */
	WEBSOCKET_NOT_UTF8 = 1007,     /* the reason of its goodbye */
	WEBSOCKET_UNACCEPTABLE = 1008, /* it is no SPICE, or past a limit */
};

struct websocket *websocket_create(const struct websocket_ops *ops, void *user);
void websocket_destroy(struct websocket *websocket);

/*
 * As read(2) and write(2) of what is in the frames, but return -errno. Reading returns 0 where the
 * transport ends, -ESHUTDOWN where the client said goodbye in a frame, and -EPROTO where it
 * broke a rule (websocket_reason); in both of these cases our goodbye is on its way, and data is
 * neither read nor written any more.
 */
ssize_t websocket_read(struct websocket *websocket, uint8_t *bytes, size_t size_bytes);
/* After -EAGAIN: the same bytes again, or more that begin with them. -EPIPE: goodbye was said. */
ssize_t websocket_write(struct websocket *websocket, const uint8_t *bytes, size_t size_bytes);
/* What rule was broken, for the log; "" when none was. */
const char *websocket_reason(const struct websocket *websocket);

/* Says goodbye, unless that was done. It waits until a frame that was begun is finished. */
void websocket_close(struct websocket *websocket, enum websocket_status status);
/* Sends what waits of our own frames. 0: nothing waits any more, or nothing can go before more data
 * does; else -errno. */
int websocket_send_waiting(struct websocket *websocket);
/* A frame of our own waits for room: an answer to a ping, or a goodbye. */
bool websocket_wants_out(const struct websocket *websocket);
