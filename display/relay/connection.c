/* SPDX-License-Identifier: MIT */
#include "display/relay/connection.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "display/relay/compression.h"
#include "display/relay/greeting.h"
#include "display/relay/limits.h"
#include "display/relay/loopback.h"
#include "display/relay/outer.h"
#include "display/relay/pipe.h"
#include "display/relay/spice_talk.h"
#include "display/relay/spice_watches.h"
#include "protocol/stats_clients.h"
#include "protocol/frame_link.h"

/* spice-server is gone: time for a slow client to take the rest. */
#define LINGER_US (5 * G_USEC_PER_SEC)
/* How long spice-server may take to go on after a display's INIT without saying a thing, and how
 * long it is given when the client has gone by then (spice_talk.h). */
#define GO_ON_US (G_USEC_PER_SEC / 2)
#define ORPHAN_US (2 * G_USEC_PER_SEC)
/* While a head waits for the line; the kernel does not say when data has been acknowledged. */
#define LINE_CHECK_US 2000
#define LINE_MEASURE_US (G_USEC_PER_SEC / 2)

struct end {
	int fd; /* -1: none */
	gpointer tag;
	GIOCondition wants;
};

struct connection {
	const struct connection_host *host;
	GSource *source;
	struct end outer, inner;
	struct outer *stream; /* on the outer end */
	struct greeting greeting;
	bool relays, ended;
	gint64 linger_us; /* spice-server is gone, this is the deadline; 0: it is not */
	gint64 orphan_us; /* the client is gone, this is the deadline; 0: it is not */
	gint64 pause_us;  /* when nothing more was taken from the client; 0: it is */
	struct spice_talk talk;
	struct spice_watched watched;
	struct pipe pipes[SPICE_TALK_SIDES];
	bool tell;          /* the client is to be told the time */
	bool small;         /* the line wants pictures small (compression.h) */
	bool told_small;    /* spice-server was told so */
	unsigned line_name; /* 0: none */
	gint64 line_us;     /* last measured for the session */
	uint32_t line_held_bytes;
	gint64 pulled_us;  /* what is in the server's pipe */
	gint line_awaited; /* atomic */
	char client[LINE_CLIENT_BYTES];
};

struct connection_source {
	GSource source;
	struct connection *connection;
};

/* ---- ends ---- */

static void end_open(struct connection *connection, struct end *end, int fd)
{
	end->fd = fd;
	end->wants = G_IO_IN;
	end->tag = g_source_add_unix_fd(connection->source, fd, end->wants);
}

static int end_take(struct connection *connection, struct end *end)
{
	int fd = end->fd;
	if (fd >= 0)
		g_source_remove_unix_fd(connection->source, end->tag);
	end->fd = -1;
	return fd;
}

static void end_close(struct connection *connection, struct end *end)
{
	int fd = end_take(connection, end);
	if (fd >= 0)
		close(fd);
}

static void end_want(struct connection *connection, struct end *end, bool in, bool out)
{
	GIOCondition wants = (in ? G_IO_IN : 0) | (out ? G_IO_OUT : 0);
	if (end->fd < 0 || end->wants == wants)
		return;
	end->wants = wants;
	g_source_modify_unix_fd(connection->source, end->tag, wants);
}

static void close_outer(struct connection *connection)
{
	if (connection->line_name)
		line_close(connection->host->line, connection->talk.link.id, connection->line_name);
	connection->line_name = 0;
	g_clear_pointer(&connection->stream, outer_destroy);
	end_close(connection, &connection->outer);
}

static void finish(struct connection *connection)
{
	if (connection->ended)
		return;
	connection->ended = true;
	lobby_leave(connection->host->lobby, connection);
	close_outer(connection);
	if (connection->talk.link.channel == SPICE_LINK_CHANNEL_MAIN && connection->watched.session)
		session_end(connection->watched.session);
	spice_watched_finish(&connection->watched);
	end_close(connection, &connection->inner);
	connection->host->ended(connection->host->user, connection);
}

/* ---- the line ---- */

static void on_awaited(void *user)
{
	struct connection *connection = user;
	g_atomic_int_set(&connection->line_awaited, 1);
	g_source_set_ready_time(connection->source, 0);
}

static void open_line(struct connection *connection)
{
	struct line_open open = {
		.outer_fd = connection->outer.fd,
		.inner_fd = connection->inner.fd,
		.awaited = on_awaited,
		.user = connection,
	};
	g_strlcpy(open.client, connection->client, sizeof(open.client));
	if (connection->talk.link.id < FRAME_HEADS_MAX)
		connection->line_name =
			line_open(connection->host->line, connection->talk.link.id, &open);
}

static void measure_line(struct connection *connection, gint64 now_us)
{
	struct line_figures figures;
	uint32_t held_bytes = (uint32_t)pipe_filled_bytes(&connection->pipes[SPICE_TALK_SERVER]);
	unsigned head = connection->talk.link.id;
	if (connection->line_name == 0)
		return;
	if (held_bytes != connection->line_held_bytes)
		line_set_held(connection->host->line, head, connection->line_name, held_bytes);
	connection->line_held_bytes = held_bytes;
	if (now_us - connection->line_us < LINE_MEASURE_US ||
		!line_get(connection->host->line, head, &figures))
		return;
	connection->line_us = now_us;
	connection->small = compression_small(connection->small, &figures);
	session_line(connection->watched.session, figures.rtt_min_us, figures.rtt_var_us);
	line_set_margin(connection->host->line, head, connection->line_name,
		session_margin_ms(connection->watched.session));
}

/* ---- sessions ---- */

static void on_tell(void *user)
{
	struct connection *connection = user;
	connection->tell = true;
	g_source_set_ready_time(connection->source, 0);
}

static const struct session_ops session_ops = {
	.tell = on_tell,
};

static void join_session(struct connection *connection)
{
	struct sessions *sessions = connection->host->sessions;
	const struct spice_link *link = &connection->talk.link;
	connection->watched.session = link->channel == SPICE_LINK_CHANNEL_MAIN ?
					      session_create(sessions, &session_ops, connection) :
					      session_join(sessions, link->session);
	if (link->channel == SPICE_LINK_CHANNEL_DISPLAY)
		open_line(connection);
}

/* Only between two messages: until then it waits, and says what time it is when it goes. */
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

/* Likewise, to spice-server: the client has asked for nothing else. */
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

/* ---- bytes ---- */

static ssize_t read_side(
	struct connection *connection, enum spice_talk_side side, uint8_t *bytes, size_t size_bytes)
{
	if (side == SPICE_TALK_CLIENT)
		return outer_read(connection->stream, bytes, size_bytes);
	ssize_t n = recv(connection->inner.fd, bytes, size_bytes, 0);
	return n < 0 ? -errno : n;
}

static ssize_t write_side(struct connection *connection, enum spice_talk_side side,
	const uint8_t *bytes, size_t size_bytes)
{
	if (side == SPICE_TALK_SERVER)
		return outer_write(connection->stream, bytes, size_bytes);
	ssize_t n = send(connection->inner.fd, bytes, size_bytes, MSG_NOSIGNAL);
	return n < 0 ? -errno : n;
}

static bool is_passing(ssize_t error)
{
	return error == -EAGAIN || error == -EINTR;
}

/* The client is gone, or might as well be. */
static void part(struct connection *connection)
{
	uint8_t init[SPICE_TALK_INIT_BYTES_MAX];
	if (connection->orphan_us > 0)
		return;
	if (!connection->relays || connection->linger_us > 0 ||
		spice_talk_may_close(&connection->talk)) {
		finish(connection);
		return;
	}
	struct pipe *pipe = &connection->pipes[SPICE_TALK_CLIENT];
	/* It is little and first: there is room. */
	send(connection->inner.fd, pipe->bytes + pipe->start, pipe->ready - pipe->start,
		MSG_NOSIGNAL);
	send(connection->inner.fd, init, spice_talk_make_init(&connection->talk, init),
		MSG_NOSIGNAL);
	close_outer(connection);
	end_want(connection, &connection->inner, true, false);
	connection->orphan_us = g_get_monotonic_time() + ORPHAN_US;
	g_source_set_ready_time(connection->source, connection->orphan_us);
}

/* What spice-server said last still goes out; what the client says has nowhere to go. */
static void on_end_of(struct connection *connection, enum spice_talk_side side)
{
	if (side == SPICE_TALK_CLIENT)
		part(connection);
	else if (connection->linger_us == 0)
		connection->linger_us = g_get_monotonic_time() + LINGER_US;
}

static enum spice_talk_side other(enum spice_talk_side side)
{
	return side == SPICE_TALK_CLIENT ? SPICE_TALK_SERVER : SPICE_TALK_CLIENT;
}

static bool is_over(const struct connection *connection)
{
	return connection->ended || connection->orphan_us > 0;
}

static bool parse(struct connection *connection, enum spice_talk_side side)
{
	struct pipe *pipe = &connection->pipes[side];
	bool linked = connection->talk.linked;
	ssize_t n = spice_talk_read(
		&connection->talk, side, pipe->bytes + pipe->ready, pipe->end - pipe->ready);
	if (n < 0) {
		g_info("client %s: cut off: it does not speak SPICE", connection->client);
		part(connection);
		return false;
	}
	pipe->ready += (size_t)n;
	if (side == SPICE_TALK_CLIENT && spice_talk_is_paused(&connection->talk))
		connection->pause_us = g_get_monotonic_time();
	if (!linked && connection->talk.linked)
		join_session(connection);
	return true;
}

/* Reads when nothing waits to go out. True: something came. */
static bool pull(struct connection *connection, enum spice_talk_side side)
{
	struct pipe *pipe = &connection->pipes[side];
	uint8_t *room;
	if (is_over(connection) || !pipe_is_idle(pipe) || connection->linger_us > 0)
		return false;
	if (side == SPICE_TALK_CLIENT && spice_talk_is_paused(&connection->talk))
		return false;
	if (side == SPICE_TALK_CLIENT && connection->pause_us > 0) {
		connection->pause_us = 0;
		return parse(connection, side);
	}
	size_t room_bytes = pipe_make_room(pipe, &room);
	ssize_t n = read_side(connection, side, room, room_bytes);
	if (is_passing(n))
		return false;
	if (n <= 0) {
		on_end_of(connection, side);
		return false;
	}
	pipe_fill(pipe, (size_t)n);
	if (side == SPICE_TALK_SERVER)
		connection->pulled_us = g_get_monotonic_time();
	return parse(connection, side);
}

/* A head's pipe is empty. More may wait in front of it. */
static void count_gone(const struct connection *connection)
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

static bool push_ready(struct connection *connection, enum spice_talk_side side)
{
	struct pipe *pipe = &connection->pipes[side];
	bool any = false;
	while (!is_over(connection) && !pipe_is_idle(pipe)) {
		ssize_t n = write_side(
			connection, side, pipe->bytes + pipe->start, pipe->ready - pipe->start);
		if (n < 0 && !is_passing(n))
			on_end_of(connection, other(side));
		if (n <= 0)
			break;
		pipe_drain(pipe, (size_t)n);
		any = true;
	}
	return any;
}

/* True: something went. Where each message goes by itself, the next is looked at when the one
 * before it has gone. */
static bool push(struct connection *connection, enum spice_talk_side side)
{
	struct pipe *pipe = &connection->pipes[side];
	bool to_client = side == SPICE_TALK_SERVER;
	bool several = to_client && connection->talk.stops && pipe->ready < pipe->end;
	if (pipe_is_idle(pipe) || (!to_client && connection->linger_us > 0))
		return false;
	if (several)
		outer_set_more(connection->stream, true);
	bool any = push_ready(connection, side);
	while (several && !is_over(connection) && pipe_is_idle(pipe) && parse(connection, side) &&
		push_ready(connection, side))
		;
	if (several && !is_over(connection))
		outer_set_more(connection->stream, false);
	if (any && to_client && pipe_is_idle(pipe))
		count_gone(connection);
	return any;
}

static bool move(struct connection *connection)
{
	bool any = false;
	for (unsigned side = 0; side < SPICE_TALK_SIDES; side++) {
		any |= pull(connection, side);
		if (!is_over(connection) && side == SPICE_TALK_SERVER)
			tell_time(connection);
		else if (!is_over(connection))
			tell_compression(connection);
		any |= push(connection, side);
	}
	return any;
}

/* ---- greeting ---- */

static void hand_over(struct connection *connection)
{
	lobby_leave(connection->host->lobby, connection);
	connection->host->hand_over(
		connection->host->user, end_take(connection, &connection->outer));
	finish(connection);
}

static void start_relaying(struct connection *connection)
{
	int ends[2];
	if (!loopback_pair(ends, INNER_BYTES)) {
		g_warning("client %s: cut off: no connection within: %s", connection->client,
			g_strerror(errno));
		finish(connection);
		return;
	}
	lobby_leave(connection->host->lobby, connection);
	outer_prepare(connection->stream);
	end_open(connection, &connection->inner, ends[0]);
	pipe_init(&connection->pipes[SPICE_TALK_SERVER], PIPE_BYTES);
	connection->talk.stops = outer_is_in_pieces(connection->stream);
	connection->relays = true;
	connection->host->hand_over(connection->host->user, ends[1]);
	/* What the greeting has read. */
	parse(connection, SPICE_TALK_CLIENT);
}

static void greet(struct connection *connection)
{
	const char *why = "";
	switch (greeting_go(&connection->greeting, &why)) {
	case GREETING_MORE:
		end_want(connection, &connection->outer, true, outer_wants_out(connection->stream));
		break;
	case GREETING_RELAY:
		start_relaying(connection);
		break;
	case GREETING_HAND_OVER:
		hand_over(connection);
		break;
	case GREETING_FAILED:
		g_info("client %s: cut off: %s", connection->client, why);
		finish(connection);
		break;
	}
}

/* ---- the source ---- */

static gint64 earlier(gint64 a, gint64 b)
{
	return a < 0 ? b : b < 0 ? a : MIN(a, b);
}

static void plan(struct connection *connection, gint64 now_us, bool more)
{
	gint64 next_us = more ? 0 : -1;
	bool main = connection->talk.link.channel == SPICE_LINK_CHANNEL_MAIN;
	if (connection->linger_us > 0)
		next_us = earlier(next_us, connection->linger_us);
	if (connection->pause_us > 0)
		next_us = earlier(next_us, connection->pause_us + GO_ON_US);
	if (main && connection->watched.session)
		next_us = earlier(next_us, session_next_us(connection->watched.session));
	if (connection->line_name &&
		line_check(connection->host->line, connection->talk.link.id, connection->line_name))
		next_us = earlier(next_us, now_us + LINE_CHECK_US);
	g_source_set_ready_time(connection->source, next_us);
	/* It was set in between. */
	if (g_atomic_int_get(&connection->line_awaited))
		g_source_set_ready_time(connection->source, 0);
}

/* Nobody reads what the server still says: it goes on by itself or finds the end in time. */
static void let_orphan_go(struct connection *connection)
{
	uint8_t rest[4096];
	ssize_t n;
	while ((n = recv(connection->inner.fd, rest, sizeof(rest), 0)) > 0)
		;
	bool gone = n == 0 || (errno != EAGAIN && errno != EINTR);
	if (gone || g_get_monotonic_time() >= connection->orphan_us)
		finish(connection);
}

static void check_pause(struct connection *connection, gint64 now_us)
{
	if (spice_talk_is_paused(&connection->talk) && now_us >= connection->pause_us + GO_ON_US)
		spice_talk_resume(&connection->talk);
}

static void relay(struct connection *connection)
{
	gint64 now_us = g_get_monotonic_time();
	bool more = true;
	g_atomic_int_set(&connection->line_awaited, 0);
	if (connection->talk.link.channel == SPICE_LINK_CHANNEL_MAIN && connection->watched.session)
		session_tick(connection->watched.session);
	check_pause(connection, now_us);
	for (unsigned i = 0; i < ROUNDS_MAX && more && !is_over(connection); i++)
		more = move(connection);
	if (is_over(connection))
		return;
	bool idle = pipe_is_idle(&connection->pipes[SPICE_TALK_SERVER]);
	if (connection->linger_us > 0 && (idle || now_us >= connection->linger_us)) {
		finish(connection);
		return;
	}
	measure_line(connection, now_us);
	bool open = connection->linger_us == 0;
	bool client_idle = pipe_is_idle(&connection->pipes[SPICE_TALK_CLIENT]);
	bool paused = spice_talk_is_paused(&connection->talk);
	bool reads = open && client_idle && !paused;
	/* What waits for room besides is an answer to the client (websocket.h), and goes when it is
	 * read from. */
	bool answers = reads && outer_wants_out(connection->stream);
	end_want(connection, &connection->outer, reads, !idle || answers);
	end_want(connection, &connection->inner, open && idle, open && !client_idle);
	plan(connection, now_us, more);
}

/* Reported whether wanted or not: who is not read from would keep the loop busy. */
static bool is_gone(const struct connection *connection, const struct end *end)
{
	return end->fd >= 0 &&
	       (g_source_query_unix_fd(connection->source, end->tag) & (G_IO_HUP | G_IO_ERR));
}

static gboolean on_ready(GSource *source, GSourceFunc callback, gpointer user)
{
	struct connection *connection = ((struct connection_source *)source)->connection;
	bool outer_gone = is_gone(connection, &connection->outer);
	bool inner_gone = is_gone(connection, &connection->inner);
	if (!connection->relays && !outer_gone)
		greet(connection);
	if (connection->orphan_us > 0)
		let_orphan_go(connection);
	else if (connection->relays && !connection->ended)
		relay(connection);
	if (!is_over(connection) && outer_gone)
		part(connection);
	if (!is_over(connection) && inner_gone) {
		on_end_of(connection, SPICE_TALK_SERVER);
		end_close(connection, &connection->inner);
		g_source_set_ready_time(source, 0);
	}
	return connection->ended ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = {
	.dispatch = on_ready,
};

struct connection *connection_create(
	const struct connection_host *host, int fd, struct tls_credentials *credentials)
{
	struct outer *stream = outer_create(fd, credentials);
	if (!stream) {
		close(fd);
		return NULL;
	}
	struct connection *connection = g_new0(struct connection, 1);
	connection->stream = stream;
	pipe_init(&connection->pipes[SPICE_TALK_CLIENT], PIPE_BYTES);
	greeting_init(&connection->greeting, fd, stream, &connection->pipes[SPICE_TALK_CLIENT],
		credentials != NULL, g_atomic_int_get(host->open));
	connection->host = host;
	connection->inner.fd = -1;
	outer_describe(stream, connection->client, sizeof(connection->client));
	spice_talk_init(
		&connection->talk, spice_watches, spice_watches_length, &connection->watched);
	connection->source = g_source_new(&source_funcs, sizeof(struct connection_source));
	((struct connection_source *)connection->source)->connection = connection;
	end_open(connection, &connection->outer, fd);
	lobby_enter(host->lobby, connection, fd);
	g_source_attach(connection->source, host->context);
	return connection;
}

void connection_end(struct connection *connection)
{
	finish(connection);
}

void connection_destroy(struct connection *connection)
{
	g_source_destroy(connection->source);
	g_source_unref(connection->source);
	for (unsigned side = 0; side < SPICE_TALK_SIDES; side++)
		pipe_finish(&connection->pipes[side]);
	g_free(connection);
}
