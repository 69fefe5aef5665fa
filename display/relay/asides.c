/* SPDX-License-Identifier: MIT */
/*
 * asides: measures and says what the relay adds by itself while it passes messages: how good the
 * line is, what time it is, which compression suits.
 */
#include <sys/ioctl.h>

#include "display/relay/compression.h"
#include "display/relay/phases.h"
#include "display/tickets/tickets.h"
#include "protocol/frame_link.h"
#include "protocol/stats_clients.h"

/*
 * While a head waits for the line it is checked every so many microseconds: the kernel does not
 * wake us when data is acknowledged. For the session it is measured once in LINE_MEASURE_US.
 */
#define LINE_CHECK_US 2000
#define LINE_MEASURE_US (G_USEC_PER_SEC / 2)

static bool is_main(const struct connection *connection)
{
	return connection->talk.link.channel == SPICE_LINK_CHANNEL_MAIN &&
	       connection->watched.session;
}

/* ---- the line ---- */

/* Any thread may call it. */
static void on_awaited(void *user)
{
	struct connection *connection = user;
	g_atomic_int_set(&connection->line_awaited, 1);
	poll_source_wake(connection->source);
}

void asides_join_line(struct connection *connection)
{
	if (connection->is_local || connection->talk.link.channel != SPICE_LINK_CHANNEL_DISPLAY)
		return;
	struct line_open open = {
		.outer_fd = connection->outer.fd,
		.inner_fd = connection->inner.fd,
		.awaited = on_awaited,
		.user = connection,
	};
	g_strlcpy(open.client, connection->client, sizeof(open.client));
	if (connection->talk.link.id < FRAME_HEADS_MAX)
		connection->line_name =
			line_open(connection->line, connection->talk.link.id, &open);
}

/* Must be called before either of the line's descriptors is closed. */
void asides_leave_line(struct connection *connection)
{
	if (connection->line_name)
		line_close(connection->line, connection->talk.link.id, connection->line_name);
	connection->line_name = 0;
}

void asides_measure(struct connection *connection, gint64 now_us)
{
	struct line_figures figures;
	uint32_t held_bytes = (uint32_t)pipe_filled_bytes(&connection->pipes[SPICE_TALK_SERVER]);
	unsigned head = connection->talk.link.id;
	if (connection->line_name == 0)
		return;
	if (held_bytes != connection->line_held_bytes)
		line_set_held(connection->line, head, connection->line_name, held_bytes);
	connection->line_held_bytes = held_bytes;
	if (now_us - connection->line_us < LINE_MEASURE_US ||
		!line_get(connection->line, head, &figures))
		return;
	connection->line_us = now_us;
	connection->small = compression_small(connection->small, &figures);
	session_line(connection->watched.session, figures.rtt_min_us, figures.rtt_var_us);
	line_set_margin(connection->line, head, connection->line_name,
		session_margin_ms(connection->watched.session));
}

/* The wire is idle only if spice-server has nothing more that waits for us to read it. */
void asides_count_gone(const struct connection *connection)
{
	unsigned head = connection->talk.link.id;
	int waiting_bytes = 0;
	if (connection->line_name == 0)
		return;
	stats_record_us(head, STATS_ENCODED_TO_WIRE,
		(uint64_t)(g_get_monotonic_time() - connection->pulled_us));
	if (ioctl(connection->inner.fd, FIONREAD, &waiting_bytes) == 0 && waiting_bytes == 0)
		stats_wire_idle(head);
}

/* ---- what may be sent ---- */

/* Who is on the unix socket is on this machine. */
bool asides_may_send(struct connection *connection)
{
	return connection->is_local ||
	       line_cap_may(connection->host->cap, &connection->cap, g_get_monotonic_time());
}

void asides_count_sent(struct connection *connection, size_t size_bytes)
{
	if (!connection->is_local)
		line_cap_spend(connection->host->cap, &connection->cap, g_get_monotonic_time(),
			size_bytes);
}

/* ---- the session ---- */

static void on_tell(void *user)
{
	struct connection *connection = user;
	connection->tell = true;
	poll_source_plan(connection->source, 0);
}

static void on_named(void *user, uint32_t name)
{
	const struct connection *connection = user;
	tickets_begin(connection->host->tickets, connection->visit, name);
}

static void on_touched(void *user)
{
	const struct connection *connection = user;
	connection->host->warned(connection->host->user, false);
}

static const struct session_ops session_ops = {
	.tell = on_tell,
	.touched = on_touched,
	.named = on_named,
};

/* As many are let in as there are seats (tickets.h). */
static unsigned choose_seat(const struct connection *connection)
{
	const struct connection_host *host = connection->host;
	return connection->view_only ? sessions_free_seat(host->sessions, host->n_lookers) : 0;
}

bool asides_join_session(struct connection *connection)
{
	struct sessions *sessions = connection->host->sessions;
	const struct spice_link *link = &connection->talk.link;
	g_assert(!connection->watched.session);
	struct session *session = link->channel == SPICE_LINK_CHANNEL_MAIN ?
					  session_create(sessions, choose_seat(connection),
						  !connection->is_local, &session_ops, connection) :
					  session_join(sessions, link->session);
	if (!session || !session_take_channel(session, link->type, link->id)) {
		session_unref(session);
		return false;
	}
	connection->watched.session = session;
	connection->line = connection->host->lines[session_seat(session)];
	return true;
}

void asides_leave_session(struct connection *connection)
{
	const struct spice_link *link = &connection->talk.link;
	if (!connection->watched.session)
		return;
	const struct connection_host *host = connection->host;
	if (is_main(connection) && host->n_lookers > 0 &&
		*host->driver == session_name(connection->watched.session))
		*host->driver = 0;
	if (is_main(connection) && session_is_warned(connection->watched.session))
		on_touched(connection);
	session_give_channel(connection->watched.session, link->type, link->id);
	if (is_main(connection))
		session_end(connection->watched.session);
	spice_watched_finish(&connection->watched);
}

/* Who may only look on has nothing to touch. */
static bool may_idle_out(const struct connection *connection)
{
	return is_main(connection) && connection->host->idle_us > 0 && !connection->view_only &&
	       connection->phase == PHASE_CHANNEL;
}

static gint64 idle_next_us(const struct connection *connection)
{
	const struct session *session = connection->watched.session;
	if (!may_idle_out(connection))
		return -1;
	gint64 over_us = session_touched_us(session) + connection->host->idle_us;
	return session_is_warned(session) ? over_us :
					    over_us - relay_warning_us(connection->host->idle_us);
}

static void tick_idle(struct connection *connection, gint64 now_us)
{
	if (!may_idle_out(connection) || now_us < idle_next_us(connection))
		return;
	if (session_is_warned(connection->watched.session)) {
		connection->why = connection->host->idle_why;
		connection_event(connection, EVENT_CLIENT_WRONG);
		return;
	}
	session_warn(connection->watched.session);
	connection->host->warned(connection->host->user, true);
	farewell_notify(connection, connection->host->idle_words);
}

void asides_tick(struct connection *connection)
{
	if (is_main(connection))
		session_tick(connection->watched.session);
	tick_idle(connection, g_get_monotonic_time());
}

/* A message can be put in only between two others. Ours waits until then, and tells the time at
 * which it goes. */
static void tell_time(struct connection *connection)
{
	uint8_t message[SPICE_TALK_HEADER_MAX + sizeof(uint32_t)];
	uint32_t time_ms;
	struct pipe *pipe = &connection->pipes[SPICE_TALK_SERVER];
	if (!connection->tell || !pipe_is_idle(pipe) ||
		!spice_talk_is_between(&connection->talk, SPICE_TALK_SERVER))
		return;
	connection->tell = false;
	if (!session_make_time(connection->watched.session, &time_ms))
		return;
	size_t size_bytes =
		spice_watches_make_time(&connection->talk, time_ms, message, sizeof(message));
	pipe_insert(pipe, message, size_bytes);
}

/* This message goes to spice-server, between two of the client's, unless the client has asked for a
 * compression itself. */
static void tell_compression(struct connection *connection)
{
	uint8_t message[SPICE_TALK_HEADER_MAX + 1];
	struct pipe *pipe = &connection->pipes[SPICE_TALK_CLIENT];
	if (connection->small == connection->told_small || connection->watched.chooses ||
		!pipe_is_idle(pipe) || !spice_talk_is_between(&connection->talk, SPICE_TALK_CLIENT))
		return;
	connection->told_small = connection->small;
	size_t size_bytes = spice_watches_make_compression(
		&connection->talk, connection->small, message, sizeof(message));
	if (size_bytes == 0)
		return;
	pipe_insert(pipe, message, size_bytes);
	g_debug("client %s: pictures are to be %s", connection->client,
		connection->small ? "small" : "quick");
}

void asides_say(struct connection *connection, enum spice_talk_side side)
{
	if (side == SPICE_TALK_SERVER)
		tell_time(connection);
	else
		tell_compression(connection);
}

/* ---- when to look again ---- */

static gint64 earlier(gint64 a, gint64 b)
{
	return a < 0 ? b : b < 0 ? a : MIN(a, b);
}

gint64 asides_next_us(struct connection *connection, gint64 now_us)
{
	gint64 next_us = line_cap_next_us(connection->host->cap, &connection->cap, now_us);
	if (is_main(connection))
		next_us = earlier(next_us, session_next_us(connection->watched.session));
	next_us = earlier(next_us, idle_next_us(connection));
	if (connection->line_name &&
		line_check(connection->line, connection->talk.link.id, connection->line_name))
		next_us = earlier(next_us, now_us + LINE_CHECK_US);
	return next_us;
}
