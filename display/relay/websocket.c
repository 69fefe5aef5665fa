/* SPDX-License-Identifier: MIT */
#include "display/relay/websocket.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <wslay/wslay.h>

#include "display/relay/limits.h"

#define STATUS_BYTES 2

/* It is a frame of ours that carries no data: an answer to a ping, or a goodbye. */
struct control {
	uint8_t opcode;
	uint8_t bytes[CONTROL_BYTES_MAX];
	size_t size_bytes, sent_bytes;
	bool due, begun;
};

struct websocket {
	const struct websocket_ops *ops;
	void *user;
	wslay_frame_context_ptr ws_frames;
	int error;          /* -errno of the transport's last read or write; 0: it has ended */
	const char *reason; /* the rule that the client broke; "": none */
	/* What follows is for what the client sends. */
	const uint8_t *got; /* owned by wslay, and valid until it reads on */
	size_t got_bytes;
	uint64_t in_left;                /* of the frame that is being read */
	bool in_message;                 /* more fragments of it follow */
	bool heard_goodbye;              /* what follows it is ignored */
	uint8_t body[CONTROL_BYTES_MAX]; /* of the control frame that is being read */
	size_t body_bytes;
	/* What follows is for what we send. */
	size_t ws_frame_left; /* of the frame that is being written */
	uint64_t ws_frame_bytes;
	struct control pong, goodbye;
	uint8_t ping[CONTROL_BYTES_MAX]; /* body of the last ping, until its answer is begun */
	size_t ping_bytes;
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
	websocket->reason = "";
	websocket->pong.opcode = WSLAY_PONG;
	websocket->goodbye.opcode = WSLAY_CONNECTION_CLOSE;
	if (wslay_frame_context_init(&websocket->ws_frames, &callbacks, websocket) == 0)
		return websocket;
	g_free(websocket);
	return NULL;
}

void websocket_destroy(struct websocket *websocket)
{
	if (!websocket)
		return;
	wslay_frame_context_free(websocket->ws_frames);
	g_free(websocket);
}

/* ---- out ---- */

/* Writes bytes of one frame's body. Returns how many went, or -errno. */
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
	ssize_t n = wslay_frame_send(websocket->ws_frames, &frame);
	if (n == WSLAY_ERR_WANT_WRITE)
		return websocket->error;
	return n >= 0 ? n : -EPROTO;
}

/* Goes on with a frame of our own. Returns 0 when it is sent. */
static int send_control(struct websocket *websocket, struct control *control)
{
	control->begun = true;
	ssize_t n = send_frame(websocket, control->opcode, control->size_bytes,
		control->bytes + control->sent_bytes, control->size_bytes - control->sent_bytes);
	if (n < 0)
		return (int)n;
	control->sent_bytes += (size_t)n;
	if (control->sent_bytes < control->size_bytes)
		return -EAGAIN;
	control->due = control->begun = false;
	control->sent_bytes = 0;
	return 0;
}

/* Only the last ping is answered (RFC 6455, 5.5.3). */
static int send_pong(struct websocket *websocket)
{
	struct control *pong = &websocket->pong;
	if (!pong->begun) {
		memcpy(pong->bytes, websocket->ping, websocket->ping_bytes);
		pong->size_bytes = websocket->ping_bytes;
	}
	return send_control(websocket, pong);
}

static bool said_goodbye(const struct websocket *websocket)
{
	return websocket->goodbye.size_bytes > 0 || websocket->heard_goodbye;
}

/* A frame that was begun must be finished before the next begins. A ping that came before a goodbye
 * is answered before it (RFC 6455, 5.5.2). */
int websocket_send_waiting(struct websocket *websocket)
{
	if (websocket->ws_frame_left > 0)
		return 0;
	if (websocket->pong.due) {
		int result = send_pong(websocket);
		if (result < 0)
			return result;
	}
	return websocket->goodbye.due ? send_control(websocket, &websocket->goodbye) : 0;
}

static void say_goodbye(struct websocket *websocket, const uint8_t *body, size_t body_bytes)
{
	struct control *goodbye = &websocket->goodbye;
	g_assert(body_bytes <= CONTROL_BYTES_MAX);
	if (goodbye->due || goodbye->size_bytes > 0)
		return;
	memcpy(goodbye->bytes, body, body_bytes);
	goodbye->size_bytes = body_bytes;
	goodbye->due = true;
}

void websocket_close(struct websocket *websocket, enum websocket_status status)
{
	const uint8_t body[STATUS_BYTES] = { (uint8_t)(status >> 8), (uint8_t)status };
	if (!said_goodbye(websocket))
		say_goodbye(websocket, body, sizeof(body));
}

ssize_t websocket_write(struct websocket *websocket, const uint8_t *bytes, size_t size_bytes)
{
	int result = websocket_send_waiting(websocket);
	if (result < 0)
		return result;
	if (said_goodbye(websocket) && websocket->ws_frame_left == 0)
		return -EPIPE;
	if (websocket->ws_frame_left == 0)
		websocket->ws_frame_bytes = websocket->ws_frame_left =
			MIN(size_bytes, FRAME_BYTES_MAX);
	ssize_t n = send_frame(websocket, WSLAY_BINARY_FRAME, websocket->ws_frame_bytes, bytes,
		MIN(size_bytes, websocket->ws_frame_left));
	if (n > 0)
		websocket->ws_frame_left -= (size_t)n;
	return n == 0 ? -EAGAIN : n;
}

bool websocket_wants_out(const struct websocket *websocket)
{
	return websocket->pong.due || websocket->goodbye.due;
}

/* ---- in ---- */

const char *websocket_reason(const struct websocket *websocket)
{
	return websocket->reason;
}

static ssize_t fail(struct websocket *websocket, enum websocket_status status, const char *reason)
{
	websocket->reason = reason;
	websocket_close(websocket, status);
	return -EPROTO;
}

static bool is_control(uint8_t opcode)
{
	return opcode & 8;
}

/* Returns true for the statuses that a frame may carry (RFC 6455, 7.4). */
static bool is_status(unsigned status)
{
	return (status >= 1000 && status <= 1003) || (status >= 1007 && status <= 1014) ||
	       (status >= 3000 && status <= 4999);
}

/* We answer a goodbye with the status that it has (RFC 6455, 5.5.1). */
static ssize_t take_goodbye(struct websocket *websocket)
{
	const uint8_t *body = websocket->body;
	size_t body_bytes = websocket->body_bytes;
	if (body_bytes == 1)
		return fail(websocket, WEBSOCKET_BROKEN, "its goodbye has half a status");
	if (body_bytes > 0 && !is_status((unsigned)body[0] << 8 | body[1]))
		return fail(
			websocket, WEBSOCKET_BROKEN, "its goodbye has a status that none may send");
	if (body_bytes > 0 && !g_utf8_validate_len((const char *)body + STATUS_BYTES,
				      body_bytes - STATUS_BYTES, NULL))
		return fail(websocket, WEBSOCKET_NOT_UTF8, "its goodbye's reason is not UTF-8");
	say_goodbye(websocket, body, MIN(body_bytes, STATUS_BYTES));
	websocket->heard_goodbye = true;
	return -ESHUTDOWN;
}

static void take_ping(struct websocket *websocket)
{
	memcpy(websocket->ping, websocket->body, websocket->body_bytes);
	websocket->ping_bytes = websocket->body_bytes;
	websocket->pong.due = true;
}

/* Returns 1 to go on, else what websocket_read returns. wslay refuses control frames that are
 * longer than `body`. */
static ssize_t take_control(struct websocket *websocket, const struct wslay_frame_iocb *frame)
{
	g_assert(websocket->body_bytes + frame->data_length <= CONTROL_BYTES_MAX);
	if (frame->data_length > 0)
		memcpy(websocket->body + websocket->body_bytes, frame->data, frame->data_length);
	websocket->body_bytes += frame->data_length;
	if (websocket->in_left > 0)
		return 1;
	ssize_t result = 1;
	if (frame->opcode == WSLAY_CONNECTION_CLOSE)
		result = take_goodbye(websocket);
	else if (frame->opcode == WSLAY_PING)
		take_ping(websocket);
	websocket->body_bytes = 0;
	return result;
}

/* Checks a frame's header (RFC 6455, 5.2 and 5.4). Returns 1 when it is in order. */
static ssize_t check_frame(struct websocket *websocket, const struct wslay_frame_iocb *frame)
{
	bool goes_on = frame->opcode == WSLAY_CONTINUATION_FRAME;
	if (!frame->mask)
		return fail(websocket, WEBSOCKET_BROKEN, "its frame is not masked");
	if (frame->rsv != 0)
		return fail(websocket, WEBSOCKET_BROKEN, "its frame has reserved bits set");
	if (frame->opcode == WSLAY_TEXT_FRAME)
		return fail(websocket, WEBSOCKET_NOT_BINARY, "it sends text");
	if (frame->opcode > WSLAY_PONG ||
		(frame->opcode > WSLAY_BINARY_FRAME && !is_control(frame->opcode)))
		return fail(websocket, WEBSOCKET_BROKEN, "its frame is of a reserved kind");
	if (is_control(frame->opcode))
		return 1;
	if (goes_on != websocket->in_message)
		return fail(websocket, WEBSOCKET_BROKEN, "its fragments are out of order");
	websocket->in_message = !frame->fin;
	return 1;
}

/* Returns 1 to go on, else what websocket_read returns. */
static ssize_t take_frame(struct websocket *websocket, const struct wslay_frame_iocb *frame)
{
	if (websocket->in_left == 0) {
		ssize_t result = check_frame(websocket, frame);
		if (result < 0)
			return result;
		websocket->in_left = frame->payload_length;
	}
	websocket->in_left -= frame->data_length;
	if (is_control(frame->opcode))
		return take_control(websocket, frame);
	websocket->got = frame->data;
	websocket->got_bytes = frame->data_length;
	return 1;
}

static ssize_t read_frame(struct websocket *websocket)
{
	struct wslay_frame_iocb frame = { 0 };
	websocket->error = -EAGAIN;
	ssize_t n = wslay_frame_recv(websocket->ws_frames, &frame);
	if (n == WSLAY_ERR_WANT_READ)
		return websocket->error;
	if (n < 0)
		return fail(websocket, WEBSOCKET_BROKEN, "its frame's length is against the rules");
	return take_frame(websocket, &frame);
}

static ssize_t read_body(struct websocket *websocket, uint8_t *bytes, size_t size_bytes)
{
	for (unsigned i = 0; websocket->got_bytes == 0; i++) {
		if (i == EMPTY_FRAMES_MAX)
			return fail(websocket, WEBSOCKET_UNACCEPTABLE,
				"it sends more than " G_STRINGIFY(
					EMPTY_FRAMES_MAX) " frames in a row without data");
		ssize_t result = read_frame(websocket);
		if (result <= 0)
			return result;
	}
	size_t n = MIN(size_bytes, websocket->got_bytes);
	memcpy(bytes, websocket->got, n);
	websocket->got += n;
	websocket->got_bytes -= n;
	return (ssize_t)n;
}

/* Pings and goodbyes are answered at once, even when data was read before them. */
ssize_t websocket_read(struct websocket *websocket, uint8_t *bytes, size_t size_bytes)
{
	if (said_goodbye(websocket))
		return websocket->heard_goodbye ? -ESHUTDOWN : -EPROTO;
	ssize_t n = read_body(websocket, bytes, size_bytes);
	int result = websocket_send_waiting(websocket);
	bool lost = result < 0 && result != -EAGAIN && result != -EINTR;
	return n == -EAGAIN && lost ? result : n;
}
