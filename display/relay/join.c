/* SPDX-License-Identifier: MIT */
/*
 * join: connects a client that we have let in with spice-server, which asks for no password but
 * goes through all of the login. We say the client's link message once more, without what concerns
 * only us, and give a ticket that spice-server does not look at.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "display/relay/inner_maker.h"
#include "display/relay/phases.h"

static bool make_ends(struct connection *connection, int ends[2])
{
	if (!connection->is_local)
		return inner_maker_pair(ends);
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0;
}

/* pass.c puts the client's own socket in the place of spice-server's end, and knows it by this. */
static void know_end(struct connection *connection, int fd)
{
	struct stat st = { 0 };
	fstat(fd, &st);
	connection->server_fd = fd;
	connection->server_inode = st.st_ino;
}

static void hand_over(struct connection *connection, int fd)
{
	const struct spice_link *link = &connection->talk.link;
	const struct connection_guest guest = {
		.fd = fd,
		.own_fd =
			connection->is_local ? fcntl(connection->outer.fd, F_DUPFD_CLOEXEC, 0) : -1,
		.seat = session_seat(connection->watched.session),
		.display = link->display,
		.gl_scanout = link->gl_scanout,
		.is_local = connection->is_local,
	};
	connection->host->hand_over(connection->host->user, &guest);
}

/* A new connection has room for what is said until it is answered. */
static void say(struct connection *connection, const uint8_t *bytes, size_t size_bytes)
{
	send(connection->inner.fd, bytes, size_bytes, MSG_NOSIGNAL);
}

void join_begin(struct connection *connection)
{
	uint8_t link[SPICE_LINK_BYTES_MAX + 4];
	int ends[2];
	struct login *login = connection->login;
	if (!make_ends(connection, ends)) {
		connection->why = "no connection to spice-server";
		connection_event(connection, EVENT_REFUSED);
		return;
	}
	know_end(connection, ends[1]);
	outer_prepare(
		connection->stream, connection->login->link.channel == SPICE_LINK_CHANNEL_MAIN);
	connection_open_inner(connection, ends[0]);
	connection->talk.stops = connection->is_local || outer_is_in_pieces(connection->stream);
	asides_join_line(connection);
	say(connection, link, spice_login_make_link(login->message, &login->link, link));
	hand_over(connection, ends[1]);
}

/* ---- what spice-server says ---- */

/*
 * Reads up to so many bytes in all. Returns true when they are there, or as many as came before an
 * end that was told. Nobody may read what follows: it is the channel's.
 */
static bool hear(struct connection *connection, size_t size_bytes)
{
	struct login *login = connection->login;
	while (login->heard_bytes < size_bytes) {
		ssize_t n = recv(connection->inner.fd, login->heard + login->heard_bytes,
			size_bytes - login->heard_bytes, 0);
		if (n < 0 && connection_is_passing(-errno))
			return false;
		if (n <= 0) {
			connection->why = "spice-server has no such channel, or has closed it";
			connection_event(connection, EVENT_SERVER_ENDED);
			return false;
		}
		login->heard_bytes += (size_t)n;
	}
	return true;
}

/* The client is told nothing more until spice-server has let it in, but what it has been told may
 * still have to go out. */
static bool flush(struct connection *connection)
{
	enum phase phase = connection->phase;
	bool out = !channel_flush(connection);
	if (connection->phase != phase)
		return false;
	connection_watch_outer(connection, out || outer_wants_out(connection->stream));
	return true;
}

/* INIT goes along, so that spice-server does not wait for it. */
static void say_ticket(struct connection *connection, const uint8_t *public_key)
{
	uint8_t encrypted[LINK_KEY_ENCRYPTED_BYTES], ticket[SPICE_LOGIN_TICKET_BYTES_MAX];
	struct pipe *pipe = &connection->pipes[SPICE_TALK_CLIENT];
	connection->login->heard_bytes = 0;
	connection->unparsed = pipe->ready < pipe->end;
	if (!link_key_encrypt(public_key, "", encrypted)) {
		connection->why = "spice-server's key is none";
		connection_event(connection, EVENT_REFUSED);
		return;
	}
	spice_login_make_ticket(encrypted, ticket);
	say(connection, ticket, sizeof(ticket));
	ssize_t n = send(connection->inner.fd, pipe->bytes + pipe->start, pipe->ready - pipe->start,
		MSG_NOSIGNAL);
	if (n > 0)
		pipe_drain(pipe, (size_t)n);
	connection_event(connection, connection->talk.link.display ? EVENT_DISPLAY : EVENT_DONE);
}

void join_read_answer(struct connection *connection)
{
	struct spice_login_answer answer;
	struct login *login = connection->login;
	if (!flush(connection))
		return;
	ssize_t n = 0;
	/* Its header says how long it is. */
	while (n == 0) {
		size_t wanted = spice_login_answer_bytes(login->heard, login->heard_bytes);
		if (!hear(connection, wanted))
			return;
		n = spice_login_read_answer(login->heard, login->heard_bytes, &answer);
	}
	if (n < 0 || answer.error != SPICE_LOGIN_OK) {
		connection->why = "spice-server refuses it";
		connection_event(connection, EVENT_REFUSED);
		return;
	}
	say_ticket(connection, answer.public_key);
}

enum join_result join_hear_result(struct connection *connection)
{
	uint32_t result;
	if (!hear(connection, sizeof(result)))
		return JOIN_OPEN;
	memcpy(&result, connection->login->heard, sizeof(result));
	return result == SPICE_LOGIN_OK ? JOIN_IN : JOIN_OUT;
}

void join_read_result(struct connection *connection)
{
	if (!flush(connection))
		return;
	switch (join_hear_result(connection)) {
	case JOIN_IN:
		connection_event(connection, EVENT_DONE);
		break;
	case JOIN_OUT:
		connection->why = "spice-server refuses it";
		connection_event(connection, EVENT_REFUSED);
		break;
	default:
		break;
	}
}

void join_fail(struct connection *connection)
{
	closing_warn(connection);
	connection_close_inner(connection);
}

void join_say_late(struct connection *connection)
{
	connection->why = "spice-server does not answer";
	join_fail(connection);
}
