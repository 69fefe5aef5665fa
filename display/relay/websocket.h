/* SPDX-License-Identifier: MIT */
/*
 * websocket: carries SPICE inside WebSocket frames, as clients in browsers speak it (RFC 6455, with
 * the sub-protocol "binary"). The library wslay reads and writes the frames. websocket.c does what
 * wslay leaves to its user: it checks masks, reserved bits and fragments, and does the closing
 * handshake.
 *
 * Browsers let a page of any origin connect to any address. Without a password such a page could
 * use the desktop of whoever opens it. Therefore, if no password is asked for, the page must come
 * from the host that it connects to, and that host must be named by a number or "localhost":
 * anybody can make a DNS name point to this machine.
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
	WEBSOCKET_GOOD,    /* send the answer; then both sides send frames */
	WEBSOCKET_REFUSED, /* send the answer, then hang up */
};

struct websocket_answer {
	size_t request_bytes; /* length of the request; the client's frames may follow at once */
	const char *why;      /* reason of a refusal, for the log */
	char text[WEBSOCKET_ANSWER_BYTES_MAX];
};

/* Reads the request at the beginning of all that a client has sent so far, and makes the answer.
 * `open` says that no password will be asked for. http_request_read explains `seen_bytes`. */
enum websocket_state websocket_answer(const uint8_t *bytes, size_t size_bytes, bool open,
	size_t *seen_bytes, struct websocket_answer *answer);

struct websocket;

/*
 * The transport below the frames has these functions. They are like read(2) and write(2), but
 * return -errno.
 */
struct websocket_ops {
	ssize_t (*read)(void *user, uint8_t *bytes, size_t size_bytes);
	ssize_t (*write)(void *user, const uint8_t *bytes, size_t size_bytes);
};

/* These are reasons for closing a connection, as the client is told (RFC 6455, 7.4.1). */
enum websocket_status {
	WEBSOCKET_NORMAL = 1000,
	WEBSOCKET_GOING_AWAY = 1001,   /* this desktop ends */
	WEBSOCKET_BROKEN = 1002,       /* the client broke a rule of the protocol */
	WEBSOCKET_NOT_BINARY = 1003,   /* the client sent text, which SPICE has none of */
	WEBSOCKET_NOT_UTF8 = 1007,     /* the text of the client's goodbye is no UTF-8 */
	WEBSOCKET_UNACCEPTABLE = 1008, /* what it sent is no SPICE, or exceeds a limit */
};

struct websocket *websocket_create(const struct websocket_ops *ops, void *user);
void websocket_destroy(struct websocket *websocket);

/*
 * These read and write the data inside the frames, like read(2) and write(2), but return -errno.
 * Reading returns 0 when the transport has ended, -ESHUTDOWN when the client has said goodbye in a
 * frame, and -EPROTO when it has broken a rule (websocket_reason). In the latter two cases our
 * goodbye is on its way, and no data is read or written any more.
 */
ssize_t websocket_read(struct websocket *websocket, uint8_t *bytes, size_t size_bytes);
/* After -EAGAIN the next call must pass the same bytes, and may pass more behind them. Returns
 * -EPIPE when we have said goodbye. */
ssize_t websocket_write(struct websocket *websocket, const uint8_t *bytes, size_t size_bytes);
/* Returns which rule the client broke, for the log, or "". */
const char *websocket_reason(const struct websocket *websocket);

/* Says goodbye, unless we have done so. The goodbye waits until the frame that we have begun is
 * finished. */
void websocket_close(struct websocket *websocket, enum websocket_status status);
/* Sends the frames of our own that wait, an answer to a ping or a goodbye. Returns 0 when none
 * waits any more, or when a frame of data must be finished first; else -errno. */
int websocket_send_waiting(struct websocket *websocket);
/* Returns true when a frame of our own waits for room in the transport. */
bool websocket_wants_out(const struct websocket *websocket);
