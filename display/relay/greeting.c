/* SPDX-License-Identifier: MIT */
/*
 * greeting: leads a connection from its first byte to the channel it is for: TLS where it is due, a
 * WebSocket request where one is made, the SPICE link message. What was read stays in the pipe.
 */
#include <errno.h>
#include <string.h>

#include "display/relay/http_request.h"
#include "display/relay/limits.h"
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

/* Until its turn has come nothing but a hang-up is heard of it. */
bool greeting_may_compute(struct connection *connection)
{
	const struct connection_host *host = connection->host;
	bool few = lobby_count_network(host->lobby, connection) <= EFFORT_FEW;
	if (effort_begin(host->effort, &connection->turn, few, connection))
		return true;
	connection_want_outer(connection, false, false);
	return false;
}

void greeting_shake(struct connection *connection)
{
	const char *why = "";
	if (!greeting_may_compute(connection))
		return;
	int result = outer_shake(connection->stream, &why);
	effort_end(connection->host->effort);
	if (result == -EAGAIN)
		await(connection);
	else if (result == -EPROTO)
		go_wrong(connection, why);
	else if (result < 0)
		channel_end_of_client(connection, result == -EPIPE ? 0 : result);
	else
		connection_event(connection, EVENT_DONE);
}

/* ---- reading ---- */

void greeting_begin_request(struct connection *connection)
{
	pipe_resize(&connection->pipes[SPICE_TALK_CLIENT], REQUEST_BYTES_MAX);
}

bool greeting_fill(struct connection *connection)
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
	if (!greeting_fill(connection))
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
		connection_event(connection, EVENT_DONE);
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
	while (!look_at_message(connection) && greeting_fill(connection))
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
	while (!look_at_request(connection) && greeting_fill(connection))
		;
}
