/* SPDX-License-Identifier: MIT */
/*
 * channel: moves bytes and messages between a client and spice-server, while there are both and
 * while one of them still has something to say. Nothing is read while something waits to go out.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "display/line/intake.h"
#include "display/relay/limits.h"
#include "display/relay/phases.h"
#include "display/relay/spice_login.h"

/*
 * A message may wait this many microseconds for spice-server to go on after a display's INIT
 * (spice_talk.h). Past it the client is cut off. Clients have no reason to say such a thing before
 * they see anything.
 */
#define GO_ON_US (10 * G_USEC_PER_SEC)

/* It says which ways are open in a phase. */
static const struct flow {
	bool from_client, to_server, from_server, to_client;
} flows[PHASES] = {
	[PHASE_OPENING] = { true, true, true, true },
	[PHASE_CHANNEL] = { true, true, true, true },
	[PHASE_LEAVING] = { false, false, true, true },
	[PHASE_LAST_WORDS] = { false, false, true, true },
};

static const struct flow *flow_of(const struct connection *connection)
{
	return &flows[connection->phase];
}

static bool reads(const struct connection *connection, enum spice_talk_side side)
{
	const struct flow *flow = flow_of(connection);
	return side == SPICE_TALK_CLIENT ? flow->from_client :
					   flow->from_server && connection->inner.fd >= 0;
}

static bool writes_what(const struct connection *connection, enum spice_talk_side side)
{
	const struct flow *flow = flow_of(connection);
	return side == SPICE_TALK_CLIENT ? flow->to_server : flow->to_client;
}

/* ---- what a reading or writing comes to ---- */

/* The kernel has given the client up; one that was only killed has closed its connection. */
static bool is_vanished(ssize_t error)
{
	return error == -ETIMEDOUT || error == -EHOSTUNREACH || error == -ENETUNREACH;
}

void channel_end_of_client(struct connection *connection, ssize_t n)
{
	connection->vanished |= is_vanished(n);
	connection->why = outer_reason(connection->stream);
	if (n == 0)
		connection_event(connection, EVENT_CLIENT_ENDED);
	else if (n == -ESHUTDOWN)
		connection_event(connection, EVENT_CLIENT_BYE);
	else if (n == -EPROTO)
		connection_event(connection, EVENT_CLIENT_WRONG);
	else
		connection_event(connection, EVENT_CLIENT_GONE);
}

static ssize_t read_side(
	struct connection *connection, enum spice_talk_side side, uint8_t *bytes, size_t size_bytes)
{
	if (side == SPICE_TALK_CLIENT)
		return outer_read(connection->stream, bytes, size_bytes);
	if (connection->is_local)
		return pass_receive(connection, bytes, size_bytes);
	ssize_t n = recv(connection->inner.fd, bytes, size_bytes, 0);
	return n < 0 ? -errno : n;
}

static ssize_t write_outer(struct connection *connection, const uint8_t *bytes, size_t size_bytes)
{
	ssize_t n = outer_write(connection->stream, bytes, size_bytes);
	connection->vanished |= is_vanished(n);
	if (n > 0)
		asides_count_sent(connection, (size_t)n);
	return n;
}

static ssize_t write_side(struct connection *connection, enum spice_talk_side side,
	const uint8_t *bytes, size_t size_bytes)
{
	if (side == SPICE_TALK_SERVER)
		return write_outer(connection, bytes, size_bytes);
	ssize_t n = send(connection->inner.fd, bytes, size_bytes, MSG_NOSIGNAL);
	return n < 0 ? -errno : n;
}

static void end_reading(struct connection *connection, enum spice_talk_side side, ssize_t n)
{
	if (side == SPICE_TALK_CLIENT)
		channel_end_of_client(connection, n);
	else
		connection_event(connection, EVENT_SERVER_ENDED);
}

/* If spice-server takes no more, what the client says is thrown away, and the connection goes on:
 * what spice-server said before it closed is still to be read, and its end is seen behind that. */
static void end_writing(struct connection *connection, enum spice_talk_side side, size_t left_bytes)
{
	if (side == SPICE_TALK_SERVER)
		connection_event(connection, EVENT_CLIENT_GONE);
	else
		pipe_drain(&connection->pipes[side], left_bytes);
}

/* ---- messages ---- */

static void on_intake(void *user)
{
	const struct connection *connection = user;
	poll_source_wake(connection->source);
}

/* A client waits for spice-server, or for the guest's device that it speaks to. */
static bool is_paused(struct connection *connection, enum spice_talk_side side)
{
	const struct spice_link *link = &connection->talk.link;
	return side == SPICE_TALK_CLIENT &&
	       (spice_talk_is_paused(&connection->talk) ||
		       intake_is_shut(connection->host->intake, link->type, link->id, on_intake,
			       connection));
}

/* Tells the state machine what the messages of this turn have changed. */
static void note_progress(struct connection *connection)
{
	const struct spice_talk *talk = &connection->talk;
	if (connection->phase != PHASE_OPENING)
		return;
	if (talk->opening == SPICE_TALK_OPEN)
		connection_event(connection, connection->is_local ? EVENT_PASS : EVENT_DONE);
	else if (spice_talk_is_paused(talk) && connection->deadline_us == 0)
		connection->deadline_us = g_get_monotonic_time() + GO_ON_US;
}

/* Lets talk look at what has come from a side. Returns false when an event has ended it. */
static bool parse(struct connection *connection, enum spice_talk_side side)
{
	struct pipe *pipe = &connection->pipes[side];
	ssize_t n = spice_talk_read(
		&connection->talk, side, pipe->bytes + pipe->ready, pipe->end - pipe->ready);
	if (n < 0) {
		connection->why = "it says what no client says there";
		connection_event(connection, EVENT_CLIENT_WRONG);
		return false;
	}
	pipe->ready += (size_t)n;
	note_progress(connection);
	return true;
}

/* A display's messages say only how it wants to be shown pictures. Where several look on who drives
 * may change, at the end of a message; devices stay those of who came to drive, since a USB device
 * does not bear to lose what it says, and nobody else was given their channels. */
static bool is_filtered(const struct connection *connection)
{
	return (connection->view_only || connection->host->n_lookers > 0) &&
	       !connection->talk.link.display && !spice_login_is_device(connection->talk.link.type);
}

static size_t filter(struct connection *connection, uint8_t *bytes, size_t size_bytes)
{
	const struct connection_host *host = connection->host;
	uint32_t driver = host->n_lookers > 0 ? *host->driver : 0;
	connection->viewing.drives = driver ? session_name(connection->watched.session) == driver :
					      !connection->view_only;
	return spice_viewing_filter(&connection->viewing, bytes, size_bytes);
}

/* What came before the channel began is looked at, too. */
static void filter_early(struct connection *connection)
{
	struct pipe *pipe = &connection->pipes[SPICE_TALK_CLIENT];
	if (is_filtered(connection))
		pipe->end = pipe->ready +
			    filter(connection, pipe->bytes + pipe->ready, pipe->end - pipe->ready);
}

/*
 * Is read_side, but leaves out what who only looks on may not say. What is left may be nothing,
 * which `*left_bytes` says.
 */
static ssize_t read_allowed(struct connection *connection, enum spice_talk_side side,
	uint8_t *bytes, size_t size_bytes, size_t *left_bytes)
{
	struct spice_viewing *viewing = &connection->viewing;
	size_t held_bytes = viewing->held_bytes;
	ssize_t n;
	if (side == SPICE_TALK_SERVER || !is_filtered(connection)) {
		n = read_side(connection, side, bytes, size_bytes);
		*left_bytes = (size_t)MAX(n, 0);
		return n;
	}
	g_assert(size_bytes > held_bytes);
	memcpy(bytes, viewing->held, held_bytes);
	n = read_side(connection, side, bytes + held_bytes, size_bytes - held_bytes);
	if (n > 0)
		*left_bytes = filter(connection, bytes, held_bytes + (size_t)n);
	return n;
}

/* Reads, if nothing waits to go out. Returns true when something came. */
static bool pull(struct connection *connection, enum spice_talk_side side)
{
	struct pipe *pipe = &connection->pipes[side];
	uint8_t *room;
	if (!reads(connection, side) || !pipe_is_idle(pipe) || is_paused(connection, side))
		return false;
	if (side == SPICE_TALK_CLIENT && connection->unparsed) {
		connection->unparsed = false;
		filter_early(connection);
		return parse(connection, side);
	}
	size_t left_bytes = 0, room_bytes = pipe_make_room(pipe, &room);
	ssize_t n = read_allowed(connection, side, room, room_bytes, &left_bytes);
	if (connection_is_passing(n))
		return false;
	if (n <= 0) {
		end_reading(connection, side, n);
		return false;
	}
	pipe_fill(pipe, left_bytes);
	if (side == SPICE_TALK_SERVER)
		connection->pulled_us = g_get_monotonic_time();
	return parse(connection, side);
}

bool channel_flush(struct connection *connection)
{
	struct pipe *pipe = &connection->pipes[SPICE_TALK_SERVER];
	while (!pipe_is_idle(pipe)) {
		ssize_t n = write_outer(
			connection, pipe->bytes + pipe->start, pipe->ready - pipe->start);
		if (n < 0 && !connection_is_passing(n))
			connection_event(connection, EVENT_CLIENT_GONE);
		if (n <= 0)
			return false;
		pipe_drain(pipe, (size_t)n);
	}
	return true;
}

static bool push_ready(struct connection *connection, enum spice_talk_side side)
{
	struct pipe *pipe = &connection->pipes[side];
	bool any = false;
	while (writes_what(connection, side) && !pipe_is_idle(pipe)) {
		if (side == SPICE_TALK_SERVER && !asides_may_send(connection))
			break;
		size_t left_bytes = pipe->ready - pipe->start;
		ssize_t n = write_side(connection, side, pipe->bytes + pipe->start, left_bytes);
		if (n < 0 && !connection_is_passing(n))
			end_writing(connection, side, left_bytes);
		if (n <= 0)
			break;
		pipe_drain(pipe, (size_t)n);
		any = true;
	}
	return any;
}

/* Returns true when something went out. Where each message goes by itself, the next one is looked
 * at when the one before it has gone. */
static bool push(struct connection *connection, enum spice_talk_side side)
{
	struct pipe *pipe = &connection->pipes[side];
	bool to_client = side == SPICE_TALK_SERVER;
	bool several = to_client && connection->talk.stops && pipe->ready < pipe->end;
	if (pipe_is_idle(pipe) || !writes_what(connection, side))
		return false;
	if (several)
		outer_set_more(connection->stream, true);
	bool any = push_ready(connection, side);
	while (several && writes_what(connection, side) && pipe_is_idle(pipe) &&
		parse(connection, side) && push_ready(connection, side))
		;
	if (several && connection->stream)
		outer_set_more(connection->stream, false);
	if (any && to_client && pipe_is_idle(pipe))
		asides_count_gone(connection);
	return any;
}

static bool move(struct connection *connection)
{
	bool any = false;
	for (unsigned side = 0; side < SPICE_TALK_SIDES; side++) {
		any |= pull(connection, side);
		if (reads(connection, side))
			asides_say(connection, side);
		any |= push(connection, side);
	}
	return any;
}

/* A WebSocket frame of our own may wait for room, too (outer_wants_out). It goes out when the
 * client is read from. */
static void want(struct connection *connection)
{
	const struct flow *flow = flow_of(connection);
	bool to_client = !pipe_is_idle(&connection->pipes[SPICE_TALK_SERVER]);
	bool to_server = !pipe_is_idle(&connection->pipes[SPICE_TALK_CLIENT]);
	bool hears = flow->from_client && !to_server && !is_paused(connection, SPICE_TALK_CLIENT);
	bool answers = hears && outer_wants_out(connection->stream);
	bool waits = connection->cap.waits;
	connection_want_outer(connection, hears, (to_client && !waits) || answers);
	connection_want_inner(connection, flow->from_server && !to_client, to_server);
}

/* What spice-server has said, and the client is told. */
static bool has_said_all(const struct connection *connection)
{
	return connection->phase == PHASE_LAST_WORDS && connection->inner.fd < 0 &&
	       pipe_is_idle(&connection->pipes[SPICE_TALK_SERVER]);
}

void channel_relay(struct connection *connection)
{
	gint64 now_us = g_get_monotonic_time();
	bool more = true;
	g_atomic_int_set(&connection->line_awaited, 0);
	asides_tick(connection);
	if (!flow_of(connection)->to_client)
		return;
	for (unsigned i = 0; i < ROUNDS_MAX && more && flow_of(connection)->to_client; i++)
		more = move(connection);
	if (has_said_all(connection))
		farewell_say(connection);
	if (has_said_all(connection))
		connection_event(connection, EVENT_DONE);
	if (!flow_of(connection)->to_client)
		return;
	asides_measure(connection, now_us);
	want(connection);
	connection_plan(connection, more ? 0 : asides_next_us(connection, now_us));
	/* A worker may have begun to wait for the line since asides_next_us looked. */
	if (g_atomic_int_get(&connection->line_awaited))
		connection_plan(connection, 0);
}
