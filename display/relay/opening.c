/* SPDX-License-Identifier: MIT */
/*
 * opening: guards a display channel's beginning, from its ticket and INIT on. spice-server may not
 * see its end, nor anything wrong, before it has gone on after INIT (spice_talk.h): a client that
 * goes earlier leaves an orphan, which is closed when spice-server has gone on.
 * Where its head shows nothing, spice-server goes on without a word: then the orphan is closed when
 * its time is up (connection.c), and a head that has been busy for all of that time is not
 * protected.
 */
#include <errno.h>
#include <sys/socket.h>

#include "display/relay/phases.h"

void opening_go_on(struct connection *connection)
{
	connection->unparsed = true;
}

void opening_orphan(struct connection *connection)
{
	struct pipe *pipe = &connection->pipes[SPICE_TALK_CLIENT];
	struct pipe *rest = &connection->pipes[SPICE_TALK_SERVER];
	send(connection->inner.fd, pipe->bytes + pipe->start, pipe->ready - pipe->start,
		MSG_NOSIGNAL);
	closing_note(connection);
	closing_say_going_away(connection);
	connection_close_outer(connection);
	pipe_drain(rest, rest->ready - rest->start);
	connection_want_inner(connection, true, false);
}

void opening_warn_orphan(struct connection *connection)
{
	closing_refuse(connection);
	opening_orphan(connection);
}

void opening_late(struct connection *connection)
{
	connection->why =
		"it has said what spice-server may not hear yet, and that has not gone on";
	opening_warn_orphan(connection);
}

void opening_say_late(struct connection *connection)
{
	connection->why = "spice-server does not answer";
	opening_warn_orphan(connection);
}

/*
 * Nobody reads what spice-server still says; it only tells that it has gone on. Returns true when
 * it has.
 */
static bool has_gone_on(struct connection *connection)
{
	struct pipe *pipe = &connection->pipes[SPICE_TALK_SERVER];
	ssize_t n;
	do {
		n = spice_talk_read(&connection->talk, SPICE_TALK_SERVER, pipe->bytes + pipe->ready,
			pipe->end - pipe->ready);
		if (n > 0) {
			pipe->ready += (size_t)n;
			pipe_drain(pipe, (size_t)n);
		}
	} while (n > 0 && connection->talk.opening != SPICE_TALK_OPEN);
	return n < 0 || connection->talk.opening == SPICE_TALK_OPEN;
}

/* Returns true when spice-server has let the client in, who is gone. */
static bool is_let_in(struct connection *connection)
{
	if (!connection->login)
		return true;
	switch (join_hear_result(connection)) {
	case JOIN_IN:
		login_finish(connection);
		return true;
	case JOIN_OUT:
		connection_event(connection, EVENT_DONE);
		return false;
	default:
		return false;
	}
}

void opening_await(struct connection *connection)
{
	uint8_t *room;
	struct pipe *pipe = &connection->pipes[SPICE_TALK_SERVER];
	if (!is_let_in(connection))
		return;
	while (!has_gone_on(connection)) {
		size_t room_bytes = pipe_make_room(pipe, &room);
		ssize_t n = recv(connection->inner.fd, room, room_bytes, 0);
		if (n < 0 && connection_is_passing(-errno))
			return;
		if (n <= 0) {
			connection_event(connection, EVENT_SERVER_ENDED);
			return;
		}
		pipe_fill(pipe, (size_t)n);
	}
	connection_event(connection, EVENT_DONE);
}
