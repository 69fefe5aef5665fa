/* SPDX-License-Identifier: MIT */
/*
 * closing: says what is still to be said when one side has ended. What a client sent before it
 * closed its half is answered; what spice-server said last goes out; and who is refused can read
 * why, since its socket is not closed while it may still send (the kernel would reset it, and throw
 * our last word away).
 */
#include <errno.h>
#include <sys/socket.h>

#include "common/peer_log.h"
#include "display/relay/limits.h"
#include "display/relay/phases.h"
#include "display/relay/websocket.h"

/* A client may leave whenever it likes: that is no fault. */
void closing_note(struct connection *connection)
{
	g_debug("client %s: it left", connection->client);
}

/* A client can cause this warning as often as it likes, so its number is bounded. */
void closing_warn(struct connection *connection)
{
	if (connection->why[0] == '\0')
		return;
	peer_warning(PEER_CLIENT, "client %s: cut off: %s", connection->client, connection->why);
}

/* spice-server reads up to the end that we pass on, and then closes its side. */
void closing_pass_end(struct connection *connection)
{
	g_assert(pipe_is_idle(&connection->pipes[SPICE_TALK_CLIENT]));
	shutdown(connection->inner.fd, SHUT_WR);
}

void closing_drop_server(struct connection *connection)
{
	closing_note(connection);
	connection_close_inner(connection);
}

/* If a rule of WebSocket was broken, the goodbye that says so is on its way already. */
void closing_refuse(struct connection *connection)
{
	closing_warn(connection);
	outer_close(connection->stream, WEBSOCKET_UNACCEPTABLE);
}

void closing_cut_off(struct connection *connection)
{
	farewell_say_at_once(connection);
	closing_refuse(connection);
	connection_close_inner(connection);
}

void closing_say_bye(struct connection *connection)
{
	outer_close(connection->stream, WEBSOCKET_NORMAL);
}

/* The goodbye goes out only if the socket has room: the relay ends now. */
void closing_say_going_away(struct connection *connection)
{
	farewell_say_at_once(connection);
	outer_close(connection->stream, WEBSOCKET_GOING_AWAY);
	outer_finish(connection->stream);
}

/* Returns true when our last word is out. */
static bool say_last_word(struct connection *connection)
{
	if (connection->shut)
		return true;
	int result = outer_finish(connection->stream);
	if (connection_is_passing(result))
		return false;
	connection->shut = true;
	shutdown(connection->outer.fd, SHUT_WR);
	return true;
}

/* Bytes in TLS are thrown away without decrypting them. */
void closing_discard(struct connection *connection)
{
	uint8_t rest[4096];
	if (!say_last_word(connection)) {
		connection_want_outer(connection, false, true);
		return;
	}
	connection_want_outer(connection, true, false);
	for (unsigned i = 0; i < ROUNDS_MAX; i++) {
		ssize_t n = recv(connection->outer.fd, rest, sizeof(rest), 0);
		if (n < 0 && connection_is_passing(-errno))
			return;
		if (n <= 0) {
			connection_event(
				connection, n < 0 ? EVENT_CLIENT_GONE : EVENT_CLIENT_ENDED);
			return;
		}
		connection->discarded_bytes += (size_t)n;
		if (connection->discarded_bytes > DISCARDED_BYTES_MAX) {
			connection_event(connection, EVENT_LATE);
			return;
		}
	}
}
