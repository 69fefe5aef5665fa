/* SPDX-License-Identifier: MIT */
#include "display/relay/greeting.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "display/relay/http_request.h"
#include "display/relay/limits.h"
#include "display/relay/spice_watches.h"
#include "display/relay/websocket.h"

enum greeting_step {
	SHAKE,   /* TLS */
	PEEK,    /* plain: what is it? */
	READ,    /* TLS: what is it? */
	REQUEST, /* of a WebSocket client */
	LINK,    /* the SPICE link message, in frames or not */
	STEPS,
	GO_ON = STEPS, /* not a step: what a step returns when the next may follow at once */
};

G_STATIC_ASSERT((int)GO_ON > (int)GREETING_FAILED);

void greeting_init(struct greeting *greeting, int fd, struct outer *outer, struct pipe *pipe,
	bool tls, bool open)
{
	*greeting = (struct greeting){
		.fd = fd,
		.outer = outer,
		.pipe = pipe,
		.open = open,
		.step = tls ? SHAKE : PEEK,
	};
}

static int fail(const char **why, const char *reason)
{
	*why = reason;
	return GREETING_FAILED;
}

static int shake(struct greeting *greeting, const char **why)
{
	int result = outer_shake(greeting->outer, why);
	if (result == -EAGAIN)
		return GREETING_MORE;
	if (result < 0)
		return GREETING_FAILED;
	greeting->step = READ;
	return GO_ON;
}

/* ---- looking ---- */

/* Polls again when more than what is there now has come; reset: when anything has. */
static void await_more(int fd, bool reset)
{
	int bytes = 0;
	if (!reset && ioctl(fd, FIONREAD, &bytes) < 0)
		bytes = 0;
	bytes++;
	setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes));
}

static void begin_request(struct greeting *greeting)
{
	pipe_resize(greeting->pipe, REQUEST_BYTES_MAX);
	greeting->step = REQUEST;
}

static int peek(struct greeting *greeting, const char **why)
{
	struct spice_link link;
	uint8_t first;
	ssize_t n = recv(greeting->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return GREETING_MORE;
	if (n <= 0)
		return fail(why, "it left");
	if (http_request_begins(first)) {
		begin_request(greeting);
		return GO_ON;
	}
	enum spice_link_state state = spice_link_peek(greeting->fd, &link);
	await_more(greeting->fd, state != SPICE_LINK_MORE);
	if (state == SPICE_LINK_MORE)
		return GREETING_MORE;
	if (state == SPICE_LINK_OTHER)
		return fail(why, "it does not speak SPICE");
	return spice_watches_channel(link.channel) ? GREETING_RELAY : GREETING_HAND_OVER;
}

/* ---- reading ---- */

/* GO_ON: something came. */
static int fill(struct greeting *greeting, const char **why)
{
	uint8_t *room;
	size_t room_bytes = pipe_make_room(greeting->pipe, &room);
	g_assert(room_bytes > 0);
	ssize_t n = outer_read(greeting->outer, room, room_bytes);
	if (n == -EAGAIN || n == -EINTR)
		return GREETING_MORE;
	if (n <= 0)
		return fail(why, "it left");
	pipe_fill(greeting->pipe, (size_t)n);
	return GO_ON;
}

static int look_at_link(const struct greeting *greeting, const char **why)
{
	struct spice_link link;
	const struct pipe *pipe = greeting->pipe;
	switch (spice_link_parse(pipe->bytes, pipe->end, &link)) {
	case SPICE_LINK_KNOWN:
		return GREETING_RELAY;
	case SPICE_LINK_MORE:
		return GO_ON;
	default:
		return fail(why, "it does not speak SPICE");
	}
}

static int read_link(struct greeting *greeting, const char **why)
{
	int result = fill(greeting, why);
	return result == GO_ON ? look_at_link(greeting, why) : result;
}

static int start_frames(struct greeting *greeting, const struct websocket_answer *answer)
{
	struct pipe *pipe = greeting->pipe;
	if (!outer_begin_frames(greeting->outer, pipe->bytes + answer->request_bytes,
		    pipe->end - answer->request_bytes))
		return GREETING_FAILED;
	pipe->end = 0;
	pipe_resize(pipe, PIPE_BYTES);
	greeting->step = LINK;
	return GO_ON;
}

/* Nothing was sent before: it fits. */
static bool send_answer(struct greeting *greeting, const struct websocket_answer *answer)
{
	size_t length = strlen(answer->text);
	return outer_write(greeting->outer, (const uint8_t *)answer->text, length) ==
	       (ssize_t)length;
}

static int look_at_request(struct greeting *greeting, const char **why)
{
	struct websocket_answer answer;
	struct pipe *pipe = greeting->pipe;
	enum websocket_state state = websocket_answer(
		pipe->bytes, pipe->end, greeting->open, &greeting->seen_bytes, &answer);
	if (state == WEBSOCKET_MORE)
		return GO_ON;
	*why = answer.why;
	if (!send_answer(greeting, &answer) || state == WEBSOCKET_REFUSED)
		return GREETING_FAILED;
	return start_frames(greeting, &answer);
}

static int read_request(struct greeting *greeting, const char **why)
{
	int result = fill(greeting, why);
	return result == GO_ON ? look_at_request(greeting, why) : result;
}

static int read_first(struct greeting *greeting, const char **why)
{
	int result = fill(greeting, why);
	if (result != GO_ON)
		return result;
	bool http = http_request_begins(greeting->pipe->bytes[0]);
	if (http)
		begin_request(greeting);
	else
		greeting->step = LINK;
	return http ? look_at_request(greeting, why) : look_at_link(greeting, why);
}

enum greeting_verdict greeting_go(struct greeting *greeting, const char **why)
{
	static int (*const steps[STEPS])(struct greeting * greeting, const char **why) = {
		[SHAKE] = shake,
		[PEEK] = peek,
		[READ] = read_first,
		[REQUEST] = read_request,
		[LINK] = read_link,
	};
	int result;
	do
		result = steps[greeting->step](greeting, why);
	while (result == GO_ON);
	return (enum greeting_verdict)result;
}
