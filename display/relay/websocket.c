/* SPDX-License-Identifier: MIT */
#include "display/relay/websocket.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <wslay/wslay.h>

/* RFC 6455, 5.5: of control frames. */
#define CONTROL_BYTES_MAX 125
/* A frame is begun with what there is to send and must then be finished: keep it short. */
#define FRAME_BYTES_MAX 16384
/* That bring nothing, in a row. */
#define EMPTY_FRAMES_MAX 256

struct websocket {
	const struct websocket_ops *ops;
	void *user;
	wslay_frame_context_ptr frames;
	int error; /* -errno of the last reading or writing below; 0: the peer has gone */
	/* in */
	const uint8_t *got; /* wslay's, until it reads on */
	size_t got_bytes;
	/* out */
	size_t frame_left; /* of the frame that is being written */
	uint64_t frame_bytes;
	bool pong, pong_begun;
	uint8_t ping[CONTROL_BYTES_MAX], pong_left[CONTROL_BYTES_MAX];
	size_t ping_bytes, ping_filled, pong_bytes, pong_sent;
};

static ssize_t on_send(const uint8_t *bytes, size_t size_bytes, int flags, void *user)
{
	struct websocket *websocket = user;
	ssize_t n = websocket->ops->write(websocket->user, bytes, size_bytes);
	if (n > 0)
		return n;
	websocket->error = n < 0 ? (int)n : -EAGAIN;
	return -1;
}

static ssize_t on_receive(uint8_t *bytes, size_t size_bytes, int flags, void *user)
{
	struct websocket *websocket = user;
	ssize_t n = websocket->ops->read(websocket->user, bytes, size_bytes);
	if (n > 0)
		return n;
	websocket->error = (int)n;
	return -1;
}

struct websocket *websocket_create(const struct websocket_ops *ops, void *user)
{
	const struct wslay_frame_callbacks callbacks = {
		.send_callback = on_send,
		.recv_callback = on_receive,
	};
	struct websocket *websocket = g_new0(struct websocket, 1);
	websocket->ops = ops;
	websocket->user = user;
	if (wslay_frame_context_init(&websocket->frames, &callbacks, websocket) == 0)
		return websocket;
	g_free(websocket);
	return NULL;
}

void websocket_destroy(struct websocket *websocket)
{
	if (!websocket)
		return;
	wslay_frame_context_free(websocket->frames);
	g_free(websocket);
}

/* ---- out ---- */

/* Bytes of one frame's body; returns how many went, or -errno. */
static ssize_t send_frame(struct websocket *websocket, uint8_t opcode, uint64_t frame_bytes,
	const uint8_t *bytes, size_t size_bytes)
{
	struct wslay_frame_iocb frame = {
		.fin = 1,
		.opcode = opcode,
		.payload_length = frame_bytes,
		.data = bytes,
		.data_length = size_bytes,
	};
	websocket->error = -EAGAIN;
	ssize_t n = wslay_frame_send(websocket->frames, &frame);
	if (n == WSLAY_ERR_WANT_WRITE)
		return websocket->error;
	return n >= 0 ? n : -EPROTO;
}

/* The last ping is answered; frames do not mix. */
static int send_pong(struct websocket *websocket)
{
	if (!websocket->pong || websocket->frame_left > 0)
		return 0;
	if (!websocket->pong_begun) {
		websocket->pong_begun = true;
		memcpy(websocket->pong_left, websocket->ping, websocket->ping_bytes);
		websocket->pong_bytes = websocket->ping_bytes;
	}
	ssize_t n = send_frame(websocket, WSLAY_PONG, websocket->pong_bytes,
		websocket->pong_left + websocket->pong_sent,
		websocket->pong_bytes - websocket->pong_sent);
	if (n < 0)
		return (int)n;
	websocket->pong_sent += (size_t)n;
	if (websocket->pong_sent < websocket->pong_bytes)
		return -EAGAIN;
	websocket->pong = websocket->pong_begun = false;
	websocket->pong_sent = 0;
	return 0;
}

ssize_t websocket_write(struct websocket *websocket, const uint8_t *bytes, size_t size_bytes)
{
	int result = send_pong(websocket);
	if (result < 0)
		return result;
	if (websocket->frame_left == 0)
		websocket->frame_bytes = websocket->frame_left = MIN(size_bytes, FRAME_BYTES_MAX);
	ssize_t n = send_frame(websocket, WSLAY_BINARY_FRAME, websocket->frame_bytes, bytes,
		MIN(size_bytes, websocket->frame_left));
	if (n > 0)
		websocket->frame_left -= (size_t)n;
	return n == 0 ? -EAGAIN : n;
}

bool websocket_wants_out(const struct websocket *websocket)
{
	return websocket->pong;
}

/* ---- in ---- */

static void take_ping(struct websocket *websocket, const struct wslay_frame_iocb *frame)
{
	size_t n = MIN(frame->data_length, sizeof(websocket->ping) - websocket->ping_filled);
	if (n > 0)
		memcpy(websocket->ping + websocket->ping_filled, frame->data, n);
	websocket->ping_filled += n;
	if (websocket->ping_filled < frame->payload_length)
		return;
	websocket->ping_bytes = websocket->ping_filled;
	websocket->ping_filled = 0;
	/* One that is on its way is an answer, too. */
	websocket->pong = true;
}

/* 1: go on; else as websocket_read. */
static ssize_t take_frame(struct websocket *websocket, const struct wslay_frame_iocb *frame)
{
	switch (frame->opcode) {
	case WSLAY_CONTINUATION_FRAME:
	case WSLAY_BINARY_FRAME:
		websocket->got = frame->data;
		websocket->got_bytes = frame->data_length;
		return 1;
	case WSLAY_PING:
		take_ping(websocket, frame);
		return 1;
	case WSLAY_PONG:
		return 1;
	case WSLAY_CONNECTION_CLOSE:
		return 0;
	default:
		return -EPROTO;
	}
}

/* Clients must mask (RFC 6455, 5.1). */
static ssize_t read_frame(struct websocket *websocket)
{
	struct wslay_frame_iocb frame = { 0 };
	websocket->error = -EAGAIN;
	ssize_t n = wslay_frame_recv(websocket->frames, &frame);
	if (n == WSLAY_ERR_WANT_READ)
		return websocket->error;
	if (n < 0 || !frame.mask || frame.rsv != 0)
		return -EPROTO;
	return take_frame(websocket, &frame);
}

static ssize_t read_body(struct websocket *websocket, uint8_t *bytes, size_t size_bytes)
{
	for (unsigned i = 0; websocket->got_bytes == 0; i++) {
		ssize_t result = i < EMPTY_FRAMES_MAX ? read_frame(websocket) : -EPROTO;
		if (result <= 0)
			return result;
	}
	size_t n = MIN(size_bytes, websocket->got_bytes);
	memcpy(bytes, websocket->got, n);
	websocket->got += n;
	websocket->got_bytes -= n;
	return (ssize_t)n;
}

/* A ping is answered at once, whether data has come with it or not. */
ssize_t websocket_read(struct websocket *websocket, uint8_t *bytes, size_t size_bytes)
{
	ssize_t n = read_body(websocket, bytes, size_bytes);
	if (n <= 0 && n != -EAGAIN)
		return n;
	int result = send_pong(websocket);
	return result < 0 && result != -EAGAIN ? result : n;
}
