/* SPDX-License-Identifier: MIT */
#include "display/relay/connection.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "display/line/intake.h"
#include "display/relay/limits.h"
#include "display/relay/phases.h"
#include "display/tickets/tickets.h"

/*
 * These phases have a deadline. A display channel gets 15 s to say INIT, which it does at once;
 * over a bad line it takes a few seconds. spice-server gets 15 s to let somebody in whom we have
 * let in: the door and the audience may hold them back for some of it. It gets 5 s to answer a
 * client that has said its last, and 10 s to go on after a display's INIT, which it does at once
 * unless its head is busy or shows nothing. A slow client gets 5 s to take the rest, and any client
 * 1 s to read our last word.
 */
static const gint64 spans_us[PHASES] = {
	[PHASE_INIT] = 15 * G_USEC_PER_SEC,
	[PHASE_JOIN] = 15 * G_USEC_PER_SEC,
	[PHASE_RESULT] = 15 * G_USEC_PER_SEC,
	[PHASE_ADMISSION] = 15 * G_USEC_PER_SEC,
	[PHASE_LEAVING] = 5 * G_USEC_PER_SEC,
	[PHASE_ORPHAN] = 10 * G_USEC_PER_SEC,
	[PHASE_REST] = 5 * G_USEC_PER_SEC,
	[PHASE_LAST_WORDS] = 5 * G_USEC_PER_SEC,
	[PHASE_CLOSING] = 1 * G_USEC_PER_SEC,
};

/* These are called when something may have come or gone. */
static void (*const works[PHASES])(struct connection *) = {
	[PHASE_SHAKE] = greeting_shake,
	[PHASE_FIRST] = greeting_read_first,
	[PHASE_REQUEST] = greeting_read_request,
	[PHASE_MESSAGE] = greeting_read_message,
	[PHASE_ANSWER] = login_answer,
	[PHASE_TICKET] = login_read_ticket,
	[PHASE_SASL_START] = login_sasl_read_start,
	[PHASE_SASL_ASK] = login_sasl_ask,
	[PHASE_SASL_STEP] = login_sasl_read_step,
	[PHASE_JUDGE] = login_judge,
	[PHASE_INIT] = login_await_init,
	[PHASE_JOIN] = join_read_answer,
	[PHASE_RESULT] = join_read_result,
	[PHASE_ADMISSION] = join_read_result,
	[PHASE_OPENING] = channel_relay,
	[PHASE_CHANNEL] = channel_relay,
	[PHASE_PASS] = pass_work,
	[PHASE_REST] = pass_rest,
	[PHASE_LEAVING] = channel_relay,
	[PHASE_ORPHAN] = opening_await,
	[PHASE_LAST_WORDS] = channel_relay,
	[PHASE_CLOSING] = closing_discard,
};

/* clang-format off */

/* Several phases end alike. */
#define STRANGER_ENDS \
	[EVENT_CLIENT_ENDED] = { closing_note, PHASE_OVER }, \
	[EVENT_CLIENT_GONE]  = { closing_note, PHASE_OVER }, \
	[EVENT_CLIENT_BYE]   = { closing_note, PHASE_CLOSING }, \
	[EVENT_CLIENT_WRONG] = { closing_refuse, PHASE_CLOSING }, \
	[EVENT_QUIT]         = { closing_say_going_away, PHASE_OVER }
#define LOGIN_ENDS \
	[EVENT_REFUSED]      = { closing_warn, PHASE_LAST_WORDS }, \
	STRANGER_ENDS
#define JOIN_ENDS \
	[EVENT_REFUSED]      = { join_fail, PHASE_LAST_WORDS }, \
	[EVENT_SERVER_GONE]  = { join_fail, PHASE_LAST_WORDS }, \
	[EVENT_SERVER_ENDED] = { join_fail, PHASE_LAST_WORDS }
#define SERVER_ENDS \
	[EVENT_SERVER_GONE]  = { connection_stop_polling_inner, PHASE_LAST_WORDS }, \
	[EVENT_SERVER_ENDED] = { connection_close_inner, PHASE_LAST_WORDS }
#define RELAYED_ENDS \
	[EVENT_CLIENT_ENDED] = { closing_pass_end, PHASE_LEAVING }, \
	[EVENT_CLIENT_GONE]  = { closing_note, PHASE_OVER }, \
	[EVENT_CLIENT_BYE]   = { closing_drop_server, PHASE_CLOSING }, \
	[EVENT_CLIENT_WRONG] = { closing_cut_off, PHASE_CLOSING }, \
	SERVER_ENDS, \
	[EVENT_QUIT]         = { closing_say_going_away, PHASE_OVER }

#define DISPLAY_ENDS \
	[EVENT_CLIENT_ENDED] = { opening_orphan, PHASE_ORPHAN }, \
	[EVENT_CLIENT_GONE]  = { opening_orphan, PHASE_ORPHAN }, \
	[EVENT_CLIENT_BYE]   = { opening_orphan, PHASE_ORPHAN }, \
	[EVENT_CLIENT_WRONG] = { opening_warn_orphan, PHASE_ORPHAN }, \
	SERVER_ENDS, \
	[EVENT_QUIT]         = { opening_orphan, PHASE_ORPHAN }

/* The machine says what is done in a phase at an event, and which phase is next. */
static const struct transition {
	void (*action)(struct connection *);
	enum phase next;
} table[PHASES][EVENTS] = {
	[PHASE_SHAKE]   = { [EVENT_DONE]      = { NULL, PHASE_FIRST }, STRANGER_ENDS },
	[PHASE_FIRST]   = { [EVENT_HTTP]      = { greeting_begin_request, PHASE_REQUEST },
			    [EVENT_DONE]      = { NULL, PHASE_MESSAGE }, STRANGER_ENDS },
	[PHASE_REQUEST] = { [EVENT_DONE]      = { NULL, PHASE_MESSAGE },
			    [EVENT_REFUSED]   = { closing_warn, PHASE_CLOSING }, STRANGER_ENDS },
	[PHASE_MESSAGE] = { [EVENT_DONE]      = { login_begin, PHASE_ANSWER }, STRANGER_ENDS },
	[PHASE_ANSWER]  = { [EVENT_DONE]      = { NULL, PHASE_TICKET }, LOGIN_ENDS },
	[PHASE_TICKET]  = { [EVENT_DONE]      = { NULL, PHASE_JUDGE },
			    [EVENT_SASL]      = { login_sasl_begin, PHASE_SASL_START }, LOGIN_ENDS },
	[PHASE_SASL_START] = { [EVENT_DONE]   = { NULL, PHASE_SASL_ASK }, LOGIN_ENDS },
	[PHASE_SASL_ASK] = { [EVENT_DONE]     = { NULL, PHASE_JUDGE },
			    [EVENT_SASL]      = { NULL, PHASE_SASL_STEP }, LOGIN_ENDS },
	[PHASE_SASL_STEP] = { [EVENT_DONE]    = { NULL, PHASE_JUDGE }, LOGIN_ENDS },
	[PHASE_JUDGE]   = { [EVENT_DONE]      = { join_begin, PHASE_JOIN },
			    [EVENT_DISPLAY]   = { NULL, PHASE_INIT }, LOGIN_ENDS },

	[PHASE_INIT]    = { [EVENT_DONE]      = { join_begin, PHASE_JOIN },
			    [EVENT_LATE]      = { login_say_late, PHASE_LAST_WORDS }, LOGIN_ENDS },
	[PHASE_JOIN]    = { [EVENT_DONE]      = { NULL, PHASE_RESULT },
			    [EVENT_DISPLAY]   = { NULL, PHASE_ADMISSION },
			    [EVENT_CLIENT_GONE] = { closing_note, PHASE_OVER },
			    [EVENT_LATE]      = { join_say_late, PHASE_LAST_WORDS },
			    JOIN_ENDS,
			    [EVENT_QUIT]      = { closing_say_going_away, PHASE_OVER } },
	[PHASE_RESULT]  = { [EVENT_DONE]      = { farewell_greet, PHASE_CHANNEL },
			    [EVENT_CLIENT_GONE] = { closing_note, PHASE_OVER },
			    [EVENT_LATE]      = { join_say_late, PHASE_LAST_WORDS },
			    JOIN_ENDS,
			    [EVENT_QUIT]      = { closing_say_going_away, PHASE_OVER } },
	[PHASE_ADMISSION] = { [EVENT_DONE]    = { login_finish, PHASE_OPENING },
			    [EVENT_CLIENT_GONE] = { opening_orphan, PHASE_ORPHAN },
			    [EVENT_LATE]      = { opening_say_late, PHASE_ORPHAN },
			    JOIN_ENDS,
			    [EVENT_QUIT]      = { opening_orphan, PHASE_ORPHAN } },
	[PHASE_OPENING] = { [EVENT_DONE]      = { opening_go_on, PHASE_CHANNEL },
			    [EVENT_PASS]      = { pass_begin, PHASE_PASS },
			    [EVENT_LATE]      = { opening_late, PHASE_ORPHAN },
			    DISPLAY_ENDS },
	[PHASE_CHANNEL] = { RELAYED_ENDS },
	[PHASE_PASS]    = { [EVENT_DONE]         = { NULL, PHASE_OVER },
			    [EVENT_CLIENT_ENDED] = { pass_half_close, PHASE_PASS },
			    [EVENT_CLIENT_GONE]  = { closing_note, PHASE_OVER },
			    [EVENT_SERVER_GONE]  = { pass_begin_rest, PHASE_REST },
			    [EVENT_SERVER_ENDED] = { NULL, PHASE_OVER },
			    [EVENT_QUIT]         = { NULL, PHASE_OVER } },
	[PHASE_REST]    = { [EVENT_SERVER_ENDED] = { NULL, PHASE_OVER },
			    [EVENT_CLIENT_GONE]  = { closing_note, PHASE_OVER },
			    [EVENT_LATE]         = { closing_note, PHASE_OVER },
			    [EVENT_QUIT]         = { NULL, PHASE_OVER } },

	[PHASE_LEAVING]    = { [EVENT_CLIENT_GONE]  = { closing_note, PHASE_OVER },
			       SERVER_ENDS,
			       [EVENT_CLIENT_WRONG] = { closing_cut_off, PHASE_CLOSING },
			       [EVENT_LATE]         = { closing_note, PHASE_OVER },
			       [EVENT_QUIT]         = { closing_say_going_away, PHASE_OVER } },
	[PHASE_ORPHAN]     = { [EVENT_DONE]         = { NULL, PHASE_OVER },
			       [EVENT_SERVER_GONE]  = { NULL, PHASE_OVER },
			       [EVENT_SERVER_ENDED] = { NULL, PHASE_OVER },
			       [EVENT_LATE]         = { NULL, PHASE_OVER },
			       [EVENT_QUIT]         = { NULL, PHASE_OVER } },
	[PHASE_LAST_WORDS] = { [EVENT_SERVER_ENDED] = { connection_close_inner, PHASE_LAST_WORDS },
			       [EVENT_DONE]         = { closing_say_bye, PHASE_CLOSING },
			       [EVENT_CLIENT_GONE]  = { closing_note, PHASE_OVER },
			       [EVENT_CLIENT_WRONG] = { closing_cut_off, PHASE_CLOSING },
			       [EVENT_LATE]         = { closing_note, PHASE_OVER },
			       [EVENT_QUIT]         = { closing_say_going_away, PHASE_OVER } },
	[PHASE_CLOSING]    = { [EVENT_CLIENT_ENDED] = { NULL, PHASE_OVER },
			       [EVENT_CLIENT_GONE]  = { NULL, PHASE_OVER },
			       [EVENT_LATE]         = { NULL, PHASE_OVER },
			       [EVENT_QUIT]         = { NULL, PHASE_OVER } },
};
/* clang-format on */

/* ---- the machine ---- */

static void finish(struct connection *connection)
{
	lobby_leave(connection->host->lobby, connection);
	login_finish(connection);
	farewell_tell(connection);
	if (connection->visit)
		tickets_leave(connection->host->tickets, connection->visit);
	effort_leave(connection->host->effort, &connection->turn);
	pass_end(connection);
	intake_forget(connection->host->intake, connection);
	connection_close_outer(connection);
	asides_leave_session(connection);
	connection_close_inner(connection);
	poll_source_stop(connection->source);
	connection->host->ended(connection->host->user, connection);
}

static void enter(struct connection *connection, enum phase phase)
{
	connection->phase = phase;
	line_cap_leave(connection->host->cap, &connection->cap);
	lobby_progress(connection->host->lobby, connection);
	connection->deadline_us =
		spans_us[phase] > 0 ? g_get_monotonic_time() + spans_us[phase] : 0;
	if (phase == PHASE_OVER)
		finish(connection);
	else
		connection_plan(connection, 0);
}

enum phase connection_next(enum phase phase, enum event event)
{
	return table[phase][event].next;
}

void connection_event(struct connection *connection, enum event event)
{
	enum phase phase = connection->phase;
	const struct transition *transition = &table[phase][event];
	g_assert(connection->thread == g_thread_self());
	g_assert(phase != PHASE_NONE && phase != PHASE_OVER);
	if (transition->next == PHASE_NONE) {
		g_critical("client %s: cut off: event %d in phase %d", connection->client, event,
			phase);
		enter(connection, PHASE_OVER);
		return;
	}
	farewell_note(connection, event);
	if (transition->action)
		transition->action(connection);
	/* An action that failed has led elsewhere by an event of its own. */
	if (connection->phase == phase)
		enter(connection, transition->next);
}

/* ---- ends ---- */

/* The kernel reports a hang-up even while what was said before it is not read yet. */
#define READ_HANG_UP ((GIOCondition)POLLRDHUP)

static void end_open(struct connection *connection, struct end *end, int fd)
{
	g_assert(end->fd < 0 && fd >= 0);
	end->fd = fd;
	end->wants = G_IO_IN;
	end->polled = poll_source_add(connection->source, fd, end->wants);
}

static void end_stop_polling(struct end *end)
{
	g_clear_pointer(&end->polled, poll_end_remove);
}

static void end_close(struct end *end)
{
	end_stop_polling(end);
	if (end->fd >= 0)
		close(end->fd);
	end->fd = -1;
}

static void end_want(struct end *end, GIOCondition wants)
{
	if (!end->polled || end->wants == wants)
		return;
	end->wants = wants;
	poll_end_want(end->polled, wants);
}

void connection_close_outer(struct connection *connection)
{
	asides_leave_line(connection);
	g_clear_pointer(&connection->stream, outer_destroy);
	end_close(&connection->outer);
}

void connection_close_inner(struct connection *connection)
{
	asides_leave_line(connection);
	end_close(&connection->inner);
}

void connection_stop_polling_inner(struct connection *connection)
{
	end_stop_polling(&connection->inner);
}

void connection_open_inner(struct connection *connection, int fd)
{
	end_open(connection, &connection->inner, fd);
	connection_want_inner(connection, true, false);
}

void connection_want_outer(struct connection *connection, bool in, bool out)
{
	end_want(&connection->outer, (in ? G_IO_IN : 0) | (out ? G_IO_OUT : 0));
}

void connection_watch_outer(struct connection *connection, bool out)
{
	end_want(&connection->outer, (out ? G_IO_OUT : 0) | READ_HANG_UP);
}

void connection_want_inner(struct connection *connection, bool in, bool out)
{
	end_want(&connection->inner, (in ? G_IO_IN : 0) | (out ? G_IO_OUT : 0) | READ_HANG_UP);
}

/* ---- the source ---- */

bool connection_is_passing(ssize_t error)
{
	return error == -EAGAIN || error == -EINTR;
}

void connection_plan(struct connection *connection, gint64 next_us)
{
	gint64 deadline_us = connection->deadline_us;
	if (deadline_us > 0 && (next_us < 0 || next_us > deadline_us))
		next_us = deadline_us;
	poll_source_plan(connection->source, next_us);
}

/* A hang-up is reported whether we want it or not, so that an end that nobody reads from would keep
 * the loop busy: we take it for gone. */
static bool is_gone(const struct end *end)
{
	return end->polled && (poll_end_came(end->polled) & (G_IO_HUP | G_IO_ERR | READ_HANG_UP));
}

/* A phase that another follows at once leaves the next its work: what was read does not wake us
 * again. */
static void work(struct connection *connection)
{
	enum phase phase;
	do {
		phase = connection->phase;
		works[phase](connection);
	} while (connection->phase != phase && connection->phase != PHASE_OVER);
}

static void on_ready(void *user)
{
	struct connection *connection = user;
	bool outer_gone = is_gone(&connection->outer);
	bool inner_gone = is_gone(&connection->inner);
	g_assert(connection->phase != PHASE_OVER);
	connection_plan(connection, -1);
	if (connection->deadline_us > 0 && g_get_monotonic_time() >= connection->deadline_us)
		connection_event(connection, EVENT_LATE);
	if (connection->phase != PHASE_OVER)
		work(connection);
	if (outer_gone && connection->phase != PHASE_OVER && connection->outer.fd >= 0)
		connection_event(connection, EVENT_CLIENT_GONE);
	if (inner_gone && connection->phase != PHASE_OVER && connection->inner.fd >= 0)
		connection_event(connection, EVENT_SERVER_GONE);
}

static void set_up(struct connection *connection, const struct connection_host *host,
	struct outer *stream, const struct peer_address *from, bool tls)
{
	connection->host = host;
	connection->thread = g_thread_self();
	connection->stream = stream;
	connection->phase = tls ? PHASE_SHAKE : PHASE_FIRST;
	connection->why = "";
	connection->in_tls = tls;
	connection->open = tickets_is_open(host->tickets);
	connection->outer.fd = connection->inner.fd = -1;
	pipe_init(&connection->pipes[SPICE_TALK_CLIENT], PIPE_BYTES);
	connection->from = *from;
	peer_address_text(from, connection->client);
	spice_talk_init(
		&connection->talk, spice_watches, spice_watches_length, &connection->watched);
}

struct connection *connection_create(const struct connection_host *host, int fd,
	const struct peer_address *from, struct tls_credentials *credentials)
{
	struct outer *stream = outer_create(fd, credentials);
	if (!stream) {
		close(fd);
		return NULL;
	}
	struct connection *connection = g_new0(struct connection, 1);
	set_up(connection, host, stream, from, credentials != NULL);
	connection->is_unix = from->kind == PEER_ADDRESS_UNIX;
	connection->source = poll_source_create(host->polls, on_ready, connection);
	end_open(connection, &connection->outer, fd);
	lobby_enter(host->lobby, connection, fd, from);
	return connection;
}

void connection_wake(struct connection *connection)
{
	poll_source_wake(connection->source);
}

void connection_take_turn(void *user)
{
	struct connection *connection = user;
	connection_plan(connection, 0);
}

bool connection_drive(struct connection *connection, const char *client)
{
	return farewell_drive(connection, client);
}

bool connection_switch(struct connection *connection, const char *subject)
{
	return farewell_switch(connection, subject);
}

void connection_quit(struct connection *connection)
{
	g_assert(connection->phase != PHASE_OVER);
	if (connection->phase != PHASE_ORPHAN)
		connection_event(connection, EVENT_QUIT);
}

void connection_end(struct connection *connection)
{
	connection_quit(connection);
	if (connection->phase == PHASE_ORPHAN)
		connection_event(connection, EVENT_QUIT);
}

void connection_destroy(struct connection *connection)
{
	g_assert(connection->phase == PHASE_OVER);
	poll_source_destroy(connection->source);
	for (unsigned side = 0; side < SPICE_TALK_SIDES; side++)
		pipe_finish(&connection->pipes[side]);
	g_free(connection);
}
