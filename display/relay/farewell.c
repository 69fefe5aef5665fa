/* SPDX-License-Identifier: MIT */
/*
 * farewell: says in the log who came, and who went, from where and why; and tells the client why
 * when it was not the client that ended it. A client is known by its main channel. Of those who did
 * not come in login.c and closing.c tell.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "common/peer_log.h"
#include "display/relay/phases.h"
#include "protocol/keeper_link.h"

#define VANISHED "gone without a word"

/*
 * Says who it is, as far as that is known: by name, or whose connection it is on this host. A name
 * that has been let in is one of ours, which needs no quotation. The caller frees it.
 */
static char *describe_user(const struct login *login)
{
	if (login && login->said.user)
		return g_strdup_printf(" as %s", login->said.user);
	if (login && login->user == LOGIN_USER_WELCOME && login->uid != KEEPER_UID_UNKNOWN)
		return g_strdup_printf(", user %u", login->uid);
	return g_strdup("");
}

static void tell(
	const struct connection *connection, enum keeper_client_what what, const char *text)
{
	const struct connection_host *host = connection->host;
	struct keeper_client client = { .what = what,
		.flags = connection->view_only ? KEEPER_CLIENT_VIEW_ONLY : 0 };
	g_strlcpy(client.text, text, sizeof(client.text));
	if (host->told)
		host->told(host->user, &client);
}

static void say(const struct connection *connection, enum keeper_client_what what, const char *text)
{
	peer_message(PEER_VIEWER, "%s", text);
	tell(connection, what, text);
}

/* The log has it already, as of all who are not let in. */
void farewell_tell_refused(const struct connection *connection, const char *why)
{
	g_autofree char *text =
		g_strdup_printf("client %s: not let in: %s", connection->client, why);
	tell(connection, KEEPER_CLIENT_REFUSED, text);
}

bool farewell_drive(struct connection *connection, const char *client)
{
	if (connection->came_us == 0 || connection->goes || strcmp(connection->client, client) != 0)
		return false;
	*connection->host->driver = session_name(connection->watched.session);
	g_autofree char *text = g_strdup_printf("client %s: drives from here on", client);
	say(connection, KEEPER_CLIENT_DRIVES, text);
	return true;
}

void farewell_greet(struct connection *connection)
{
	if (connection->talk.link.channel == SPICE_LINK_CHANNEL_MAIN) {
		g_autofree char *user = describe_user(connection->login);
		g_autofree char *text = g_strdup_printf("client %s: came%s%s", connection->client,
			user, connection->view_only ? ", to look only" : "");
		connection->came_us = g_get_monotonic_time();
		say(connection, KEEPER_CLIENT_CAME, text);
	}
	login_finish(connection);
}

/* Gives NULL when the client went by itself. */
static const char *reason_of(const struct connection *connection, enum event event)
{
	const struct session *session = connection->watched.session;
	switch (event) {
	case EVENT_SERVER_GONE:
	case EVENT_SERVER_ENDED:
		return !session || session_is_newest(session) ?
			       "spice-server has closed its connection" :
			       "another client has taken its place";
	case EVENT_CLIENT_WRONG:
		return connection->why;
	case EVENT_QUIT:
		return connection->host->end ? connection->host->end : "the desktop's display ends";
	default:
		return NULL;
	}
}

void farewell_note(struct connection *connection, enum event event)
{
	if (connection->came_us == 0 || connection->goes || event < EVENT_CLIENT_ENDED)
		return;
	connection->goes = true;
	connection->thrown_out = reason_of(connection, event);
}

/* It may be put in only between two messages, and while nothing waits to go out. */
static size_t make_words(struct connection *connection, uint8_t *bytes, size_t size_bytes)
{
	if (!connection->thrown_out || connection->told_why ||
		!pipe_is_idle(&connection->pipes[SPICE_TALK_SERVER]) ||
		!spice_talk_is_between(&connection->talk, SPICE_TALK_SERVER))
		return 0;
	connection->told_why = true;
	return spice_watches_make_notice(
		&connection->talk, connection->thrown_out, bytes, size_bytes);
}

void farewell_say(struct connection *connection)
{
	uint8_t bytes[FAREWELL_BYTES_MAX];
	size_t size_bytes = make_words(connection, bytes, sizeof(bytes));
	if (size_bytes == 0)
		return;
	pipe_insert(&connection->pipes[SPICE_TALK_SERVER], bytes, size_bytes);
	channel_flush(connection);
}

void farewell_notify(struct connection *connection, const char *words)
{
	uint8_t bytes[FAREWELL_BYTES_MAX];
	struct pipe *pipe = &connection->pipes[SPICE_TALK_SERVER];
	if (!pipe_is_idle(pipe) || !spice_talk_is_between(&connection->talk, SPICE_TALK_SERVER))
		return;
	size_t size_bytes =
		spice_watches_make_notice(&connection->talk, words, bytes, sizeof(bytes));
	if (size_bytes > 0)
		pipe_insert(pipe, bytes, size_bytes);
}

void farewell_say_at_once(struct connection *connection)
{
	uint8_t bytes[FAREWELL_BYTES_MAX];
	size_t size_bytes = make_words(connection, bytes, sizeof(bytes));
	if (size_bytes > 0)
		outer_write(connection->stream, bytes, size_bytes);
}

/*
 * Gives where the client has reached us. Who came to a unix socket goes there again and heeds no
 * host; one that would is given no port to go to.
 */
static bool find_own_place(const struct connection *connection, struct spice_watches_place *place)
{
	struct sockaddr_storage own;
	socklen_t size = sizeof(own);
	uint16_t port = 0;
	if (getsockname(connection->outer.fd, (struct sockaddr *)&own, &size) < 0)
		return false;
	if (own.ss_family == AF_UNIX)
		g_strlcpy(place->host, "localhost", sizeof(place->host));
	else if (own.ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)&own;
		port = ntohs(in->sin_port);
		if (!inet_ntop(AF_INET, &in->sin_addr, place->host, sizeof(place->host)))
			return false;
	} else {
		const struct sockaddr_in6 *in6 = (const void *)&own;
		port = ntohs(in6->sin6_port);
		if (own.ss_family != AF_INET6 ||
			!inet_ntop(AF_INET6, &in6->sin6_addr, place->host, sizeof(place->host)))
			return false;
	}
	*(connection->in_tls ? &place->tls_port : &place->port) = port;
	return true;
}

/*
 * In TLS a client that is told no subject forgets the one it knew, and one that is told it checks
 * the certificate by that from then on, and not by the host.
 */
bool farewell_switch(struct connection *connection, const char *subject)
{
	struct spice_watches_place place = { .subject = connection->in_tls ? subject : NULL };
	uint8_t bytes[FAREWELL_BYTES_MAX];
	if (connection->came_us == 0 || connection->told_why || (connection->in_tls && !subject) ||
		!pipe_is_idle(&connection->pipes[SPICE_TALK_SERVER]) ||
		!spice_talk_is_between(&connection->talk, SPICE_TALK_SERVER) ||
		!find_own_place(connection, &place))
		return false;
	size_t size_bytes =
		spice_watches_make_switch(&connection->talk, &place, bytes, sizeof(bytes));
	if (size_bytes == 0)
		return false;
	connection->told_why = true;
	pipe_insert(&connection->pipes[SPICE_TALK_SERVER], bytes, size_bytes);
	channel_flush(connection);
	return true;
}

void farewell_tell(struct connection *connection)
{
	if (connection->came_us == 0)
		return;
	gint64 stayed_s = (g_get_monotonic_time() - connection->came_us) / G_USEC_PER_SEC;
	const char *why = connection->thrown_out;
	const char *how = why ? "thrown out: " : connection->vanished ? VANISHED : "left";
	connection->came_us = 0;
	g_autofree char *text = g_strdup_printf("client %s: %s%s, after %d s", connection->client,
		how, why ? why : "", (int)stayed_s);
	say(connection, KEEPER_CLIENT_LEFT, text);
}
