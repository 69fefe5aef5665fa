/* SPDX-License-Identifier: MIT */
/*
 * greeting: leads a connection from its first byte to the channel it is for: TLS where it is due, a
 * WebSocket request where one is made, the SPICE link message. What was read stays in the pipe.
 *
 * A plain connection for a channel that needs no relay is looked at and not read from, so that it
 * can be handed over as it came.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "common/peer_log.h"
#include "display/relay/http_request.h"
#include "display/relay/limits.h"
#include "display/relay/loopback.h"
#include "display/relay/phases.h"
#include "display/relay/websocket.h"

static void go_wrong(struct connection *connection, const char *why)
{
	connection->why = why;
	connection_event(connection, EVENT_CLIENT_WRONG);
}

static void await(struct connection *connection)
{
	connection_want_outer(connection, true, outer_wants_out(connection->stream));
}

void greeting_shake(struct connection *connection)
{
	const char *why = "";
	int result = outer_shake(connection->stream, &why);
	if (result == -EAGAIN)
		await(connection);
	else if (result == -EPROTO)
		go_wrong(connection, why);
	else if (result < 0)
		channel_end_of_client(connection, result == -EPIPE ? 0 : result);
	else
		connection_event(connection, EVENT_DONE);
}

/* ---- looking ---- */

/* Makes poll report the socket only when more has come than is there now, or, with `reset`, when
 * there is anything. */
static void await_more(int fd, bool reset)
{
	int bytes = 0;
	if (!reset && ioctl(fd, FIONREAD, &bytes) < 0)
		bytes = 0;
	bytes++;
	setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes));
}

static void judge_link(
	struct connection *connection, enum spice_link_state state, const struct spice_link *link)
{
	if (state == SPICE_LINK_OTHER)
		go_wrong(connection, "it does not speak SPICE");
	else if (spice_watches_channel(link->channel))
		connection_event(connection, EVENT_RELAY);
	else
		connection_event(connection, EVENT_HAND_OVER);
}

/* Returns true when the client has closed its half, behind what was looked at. */
static bool has_ended(const struct connection *connection)
{
	struct pollfd end = { .fd = connection->outer.fd, .events = POLLRDHUP };
	return poll(&end, 1, 0) == 1;
}

void greeting_peek(struct connection *connection)
{
	struct spice_link link;
	uint8_t first;
	int fd = connection->outer.fd;
	ssize_t n = recv(fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);
	if (n < 0 && connection_is_passing(-errno))
		return;
	if (n <= 0) {
		connection_event(connection, n < 0 ? EVENT_CLIENT_GONE : EVENT_CLIENT_ENDED);
		return;
	}
	if (http_request_begins(first)) {
		connection_event(connection, EVENT_HTTP);
		return;
	}
	enum spice_link_state state = spice_link_peek(fd, &link);
	await_more(fd, state != SPICE_LINK_MORE);
	if (state != SPICE_LINK_MORE)
		judge_link(connection, state, &link);
	else if (has_ended(connection))
		connection_event(connection, EVENT_CLIENT_ENDED);
}

void greeting_hand_over(struct connection *connection)
{
	lobby_leave(connection->host->lobby, connection);
	connection->host->hand_over(connection->host->user, connection_take_outer(connection));
}

/* ---- reading ---- */

void greeting_begin_request(struct connection *connection)
{
	pipe_resize(&connection->pipes[SPICE_TALK_CLIENT], REQUEST_BYTES_MAX);
}

/* Returns true when something came. Otherwise an event was raised, or more is awaited. */
static bool fill(struct connection *connection)
{
	uint8_t *room;
	struct pipe *pipe = &connection->pipes[SPICE_TALK_CLIENT];
	size_t room_bytes = pipe_make_room(pipe, &room);
	g_assert(room_bytes > 0);
	ssize_t n = outer_read(connection->stream, room, room_bytes);
	if (n > 0)
		pipe_fill(pipe, (size_t)n);
	else if (connection_is_passing(n))
		await(connection);
	else
		channel_end_of_client(connection, n);
	return n > 0;
}

void greeting_read_first(struct connection *connection)
{
	if (!fill(connection))
		return;
	bool http = http_request_begins(connection->pipes[SPICE_TALK_CLIENT].bytes[0]);
	connection_event(connection, http ? EVENT_HTTP : EVENT_DONE);
}

/* Returns true when what the client wants is known, and an event was raised. */
static bool look_at_message(struct connection *connection)
{
	struct spice_link link;
	const struct pipe *pipe = &connection->pipes[SPICE_TALK_CLIENT];
	switch (spice_link_parse(pipe->bytes, pipe->end, &link)) {
	case SPICE_LINK_KNOWN:
		connection_event(connection, EVENT_RELAY);
		return true;
	case SPICE_LINK_MORE:
		return false;
	default:
		go_wrong(connection, "it does not speak SPICE");
		return true;
	}
}

void greeting_read_message(struct connection *connection)
{
	while (!look_at_message(connection) && fill(connection))
		;
}

/* ---- the request ---- */

/* The answer fits into the socket's buffer, since nothing was sent before. */
static bool send_answer(struct connection *connection, const struct websocket_answer *answer)
{
	size_t length = strlen(answer->text);
	return outer_write(connection->stream, (const uint8_t *)answer->text, length) ==
	       (ssize_t)length;
}

static void begin_frames(struct connection *connection, const struct websocket_answer *answer)
{
	struct pipe *pipe = &connection->pipes[SPICE_TALK_CLIENT];
	bool begun = outer_begin_frames(connection->stream, pipe->bytes + answer->request_bytes,
		pipe->end - answer->request_bytes);
	pipe->end = 0;
	pipe_resize(pipe, PIPE_BYTES);
	connection_event(connection, begun ? EVENT_DONE : EVENT_CLIENT_GONE);
}

/* Returns true when what the client wants is known, and an event was raised. */
static bool look_at_request(struct connection *connection)
{
	struct websocket_answer answer;
	const struct pipe *pipe = &connection->pipes[SPICE_TALK_CLIENT];
	enum websocket_state state = websocket_answer(
		pipe->bytes, pipe->end, connection->open, &connection->seen_bytes, &answer);
	if (state == WEBSOCKET_MORE)
		return false;
	if (!send_answer(connection, &answer)) {
		connection_event(connection, EVENT_CLIENT_GONE);
	} else if (state == WEBSOCKET_GOOD) {
		begin_frames(connection, &answer);
	} else {
		connection->why = answer.why;
		connection_event(connection, EVENT_REFUSED);
	}
	return true;
}

void greeting_read_request(struct connection *connection)
{
	while (!look_at_request(connection) && fill(connection))
		;
}

/* ---- on to spice-server ---- */

void greeting_begin_relay(struct connection *connection)
{
	int ends[2];
	if (!loopback_pair(ends, INNER_BYTES)) {
		peer_warning(PEER_CLIENT, "client %s: cut off: no connection to spice-server: %s",
			connection->client, g_strerror(errno));
		connection_event(connection, EVENT_CLIENT_GONE);
		return;
	}
	lobby_leave(connection->host->lobby, connection);
	outer_prepare(connection->stream);
	connection_open_inner(connection, ends[0]);
	pipe_init(&connection->pipes[SPICE_TALK_SERVER], PIPE_BYTES);
	connection->talk.stops = outer_is_in_pieces(connection->stream);
	connection->unparsed = connection->pipes[SPICE_TALK_CLIENT].end > 0;
	connection->host->hand_over(connection->host->user, ends[1]);
}
