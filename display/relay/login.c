/* SPDX-License-Identifier: MIT */
/*
 * login: answers a client's link message, reads its ticket, has it judged (tickets/tickets.h) and
 * tells it the result. spice-server hears nothing of whoever does not come in, and of a display
 * channel only when it has said INIT: it would wait for that, and everybody with it.
 */
#include "display/relay/login.h"

#include <errno.h>
#include <string.h>

#include "display/door/visitors.h"
#include "display/relay/offers.h"
#include "display/relay/link_keys.h"
#include "display/relay/phases.h"

static void refuse(struct connection *connection, const char *why)
{
	connection->why = why;
	connection_event(connection, EVENT_REFUSED);
}

void login_say(struct connection *connection, const uint8_t *bytes, size_t size_bytes)
{
	pipe_insert(&connection->pipes[SPICE_TALK_SERVER], bytes, size_bytes);
}

static void say_error(struct connection *connection, enum spice_login_error error, const char *why)
{
	uint8_t bytes[SPICE_LOGIN_ANSWER_BYTES_MAX];
	login_say(connection, bytes, spice_login_make_error(error, bytes));
	refuse(connection, why);
}

void login_drain(struct connection *connection, size_t size_bytes)
{
	struct pipe *pipe = &connection->pipes[SPICE_TALK_CLIENT];
	pipe->ready += size_bytes;
	pipe_drain(pipe, size_bytes);
}

static bool wants_out(const struct connection *connection)
{
	return !pipe_is_idle(&connection->pipes[SPICE_TALK_SERVER]) ||
	       outer_wants_out(connection->stream);
}

void login_wait(struct connection *connection)
{
	connection_watch_outer(connection, wants_out(connection));
}

bool login_is_said(struct connection *connection)
{
	enum phase phase = connection->phase;
	if (channel_flush(connection))
		return true;
	if (connection->phase == phase)
		login_wait(connection);
	return false;
}

/* ---- the answer ---- */

void login_begin(struct connection *connection)
{
	struct login *login = g_new0(struct login, 1);
	const struct pipe *pipe = &connection->pipes[SPICE_TALK_CLIENT];
	connection->login = login;
	connection->is_local = connection->is_unix && !outer_is_in_pieces(connection->stream);
	spice_link_parse(pipe->bytes, pipe->end, &login->link);
	memcpy(login->message, pipe->bytes, login->link.size_bytes);
	login_drain(connection, login->link.size_bytes);
	login->said.from = connection->from;
	login->said.session = login->link.session;
	login->said.secret = login->secret;
	pipe_init(&connection->pipes[SPICE_TALK_SERVER], PIPE_BYTES);
}

void login_finish(struct connection *connection)
{
	struct login *login = g_steal_pointer(&connection->login);
	if (!login)
		return;
	if (login->user == LOGIN_USER_ASKED)
		visitors_forget(connection->host->visitors, connection);
	sasl_talk_destroy(login->sasl);
	link_key_unref(login->key);
	explicit_bzero(login, sizeof(*login));
	g_free(login);
}

static bool is_sound(struct connection *connection)
{
	switch (connection->login->link.fault) {
	case SPICE_LINK_BAD_VERSION:
		say_error(connection, SPICE_LOGIN_VERSION_MISMATCH,
			"it speaks another version of SPICE");
		return false;
	case SPICE_LINK_BAD_CAPABILITIES:
		say_error(connection, SPICE_LOGIN_INVALID_DATA, "its link message is wrong");
		return false;
	default:
		return true;
	}
}

/* Returns true when a client can be told what spice-server can do. */
static bool has_capabilities(struct connection *connection)
{
	const struct spice_login_capabilities *words = NULL;
	struct login *login = connection->login;
	switch (offers_get(connection->host->offers, login->link.type, &words)) {
	case OFFERS_KNOWN:
		login->capabilities = *words;
		spice_login_withhold(&login->capabilities, login->link.type);
		return true;
	case OFFERS_ASKED:
		return false;
	default:
		say_error(
			connection, SPICE_LOGIN_CHANNEL_NOT_AVAILABLE, "there is no such channel");
		return false;
	}
}

void connection_be_judged(void *user, bool welcome, uint32_t uid)
{
	struct connection *connection = user;
	g_assert(connection->login && connection->login->user == LOGIN_USER_ASKED);
	connection->login->user = welcome ? LOGIN_USER_WELCOME : LOGIN_USER_REFUSED;
	connection->login->uid = uid;
	connection_wake(connection);
}

/* Returns true when the client may go on without a password, or with one. */
static bool is_welcome(struct connection *connection)
{
	struct login *login = connection->login;
	struct visitors *visitors = connection->host->visitors;
	if (!visitors || !tickets_is_open(connection->host->tickets))
		return true;
	switch (login->user) {
	case LOGIN_USER_UNKNOWN:
		if (visitors_ask(visitors, connection, connection->outer.fd))
			login->user = LOGIN_USER_ASKED;
		else
			say_error(connection, SPICE_LOGIN_PERMISSION_DENIED,
				"it cannot be found out now whose it is");
		return false;
	case LOGIN_USER_ASKED:
		return false;
	case LOGIN_USER_WELCOME:
		return true;
	default:
		say_error(connection, SPICE_LOGIN_PERMISSION_DENIED,
			"there is no password, and it is no user's who needs none");
		return false;
	}
}

/* Stock clients choose SASL wherever it is on offer, and need TLS for what we offer of it. */
static bool may_offer_sasl(const struct connection *connection)
{
	struct tickets *tickets = connection->host->tickets;
	return connection->in_tls && sasl_talk_is_loaded() && !tickets_is_open(tickets) &&
	       tickets_has_users(tickets);
}

void login_answer(struct connection *connection)
{
	uint8_t bytes[SPICE_LOGIN_ANSWER_BYTES_MAX];
	struct login *login = connection->login;
	login_wait(connection);
	if (!is_sound(connection) || !is_welcome(connection) || !has_capabilities(connection))
		return;
	login->key = link_keys_get(connection->host->keys);
	if (!login->key)
		return;
	login->sasl_offered =
		may_offer_sasl(connection) && spice_login_offer_sasl(&login->capabilities);
	login_say(connection, bytes,
		spice_login_make_answer(link_key_public(login->key), &login->capabilities, bytes));
	connection_event(connection, EVENT_DONE);
}

/* ---- the ticket ---- */

/* Returns true when it is known, and an event was raised. */
static bool look_at_ticket(struct connection *connection)
{
	const uint8_t *encrypted = NULL;
	const struct login *login = connection->login;
	const struct pipe *pipe = &connection->pipes[SPICE_TALK_CLIENT];
	size_t chosen_bytes = login->sasl_offered ?
				      spice_login_chooses_sasl(&login->link,
					      pipe->bytes + pipe->ready, pipe->end - pipe->ready) :
				      0;
	if (chosen_bytes > 0) {
		login_drain(connection, chosen_bytes);
		connection_event(connection, EVENT_SASL);
		return true;
	}
	ssize_t n = spice_login_read_ticket(&connection->login->link, pipe->bytes + pipe->ready,
		pipe->end - pipe->ready, &encrypted);
	if (n == 0)
		return false;
	if (n < 0) {
		say_error(connection, SPICE_LOGIN_INVALID_DATA,
			"it wants to log in by other means than it was offered");
		return true;
	}
	memcpy(connection->login->encrypted, encrypted, LINK_KEY_ENCRYPTED_BYTES);
	login_drain(connection, (size_t)n);
	connection_event(connection, EVENT_DONE);
	return true;
}

void login_read_ticket(struct connection *connection)
{
	if (!login_is_said(connection))
		return;
	while (!look_at_ticket(connection) && greeting_fill(connection))
		;
}

/* ---- the judgement ---- */

static void say_result(struct connection *connection, enum spice_login_error error)
{
	/* Who came by SASL hears first whether that is accepted, and then what all hear. */
	const uint32_t words[] = { SPICE_LOGIN_OK, (uint32_t)error };
	bool both = connection->login->sasl && error != SPICE_LOGIN_PERMISSION_DENIED;
	const uint32_t *first = both ? &words[0] : &words[1];
	login_say(connection, (const uint8_t *)first, both ? sizeof(words) : sizeof(words[1]));
}

/* In the middle of SASL there is no word for it, and the end of the connection must do. */
void login_turn_away(struct connection *connection, enum spice_login_error error, const char *why)
{
	const struct login *login = connection->login;
	if (!login->sasl || login->sasl_done)
		say_result(connection, error);
	refuse(connection, why);
}

static enum line_cap_kind cap_kind(enum spice_link_channel channel)
{
	switch (channel) {
	case SPICE_LINK_CHANNEL_DISPLAY:
		return LINE_CAP_BULK;
	case SPICE_LINK_CHANNEL_PLAYBACK:
		return LINE_CAP_SOUND;
	default:
		return LINE_CAP_SMALL;
	}
}

/* Whoever comes in may name a session that there is, once for each channel. */
static void let_in(struct connection *connection)
{
	const struct login *login = connection->login;
	bool is_main = login->link.channel == SPICE_LINK_CHANNEL_MAIN;
	lobby_leave(connection->host->lobby, connection);
	/* Who only looks on takes none of the guest's devices from who drives. */
	if (connection->view_only && spice_login_is_device(login->link.type)) {
		login_turn_away(connection, SPICE_LOGIN_CHANNEL_NOT_AVAILABLE, "");
		return;
	}
	/* Who looks on beside others is sent no dma-bufs, and its own socket stays with us. */
	if (connection->view_only && connection->host->n_lookers > 0)
		connection->is_local = false;
	/* What passes on a local display is not looked at for long (pass.h). */
	if (connection->is_local && login->link.display)
		spice_talk_init(&connection->talk, NULL, 0, NULL);
	connection->cap.kind = cap_kind(login->link.channel);
	bool mini_header = spice_login_has_mini_header(&login->link, &login->capabilities);
	spice_talk_begin(&connection->talk, &login->link, mini_header);
	spice_viewing_begin(&connection->viewing, login->link.type, mini_header);
	if ((is_main && login->link.session != 0) || !asides_join_session(connection)) {
		login_turn_away(connection, SPICE_LOGIN_BAD_CONNECTION_ID,
			"it names a session that there is not, or a channel that it has");
		return;
	}
	say_result(connection, SPICE_LOGIN_OK);
	connection_event(connection, login->link.display ? EVENT_DISPLAY : EVENT_DONE);
}

/* What cannot be read is judged as a password that nobody has, so that it is counted. */
static void decrypt(struct connection *connection)
{
	struct login *login = connection->login;
	if (login->decrypted)
		return;
	login->decrypted = true;
	if (tickets_is_open(connection->host->tickets) ||
		link_key_decrypt(login->key, login->encrypted, login->secret))
		return;
	memset(login->secret, '\1', LINK_KEY_PASSWORD_BYTES_MAX);
}

/*
 * The log's line is of another kind than those of whoever breaks a rule. Stock clients ask for the
 * password again at any result but OK; those whose password is right are told none, at which they
 * say that they cannot connect.
 */
static void deny(struct connection *connection, enum tickets_verdict verdict)
{
	const struct connection_host *host = connection->host;
	tickets_report(host->tickets, &connection->login->said, verdict);
	if (!tickets_is_right(verdict)) {
		login_turn_away(connection, SPICE_LOGIN_PERMISSION_DENIED, "");
		return;
	}
	farewell_tell_refused(connection, tickets_verdict_text(verdict));
	refuse(connection, "");
}

/*
 * Whoever comes while a crowd guesses need not come again by hand: it asks until the crowd has
 * gone, or pushes it out (door/lobby.h), or its time is up. The crowd has no answers to go on with.
 */
static void stand_by(struct connection *connection)
{
	gint64 now_us = g_get_monotonic_time();
	struct login *login = connection->login;
	if (login->stands_by_us == 0) {
		tickets_report(connection->host->tickets, &login->said, TICKETS_BUSY);
		login->stands_by_us = now_us + LOGIN_STAND_BY_US;
		login->said.is_counted = true;
	}
	if (now_us < login->stands_by_us)
		connection_plan(connection,
			now_us + g_random_int_range(LOGIN_ASK_MIN_US, LOGIN_ASK_MAX_US));
	else
		login_turn_away(connection, SPICE_LOGIN_PERMISSION_DENIED, "");
}

static void heed(struct connection *connection, const struct tickets_answer *answer)
{
	struct login *login = connection->login;
	switch (answer->verdict) {
	case TICKETS_PASS:
		explicit_bzero(login->secret, sizeof(login->secret));
		connection->view_only = answer->view_only;
		connection->visit = answer->visit;
		let_in(connection);
		break;
	case TICKETS_LATER:
		login->said.slot_us = answer->again_us;
		connection_plan(connection, answer->again_us);
		break;
	case TICKETS_BUSY:
		stand_by(connection);
		break;
	default:
		deny(connection, answer->verdict);
	}
}

/* Whoever guesses too much is not even decrypted, which takes longer than all else here. */
bool login_may_try(struct connection *connection)
{
	struct login *login = connection->login;
	if (login->may_try)
		return true;
	struct tickets_answer answer =
		tickets_ask(connection->host->tickets, &login->said, g_get_monotonic_time());
	login->may_try = answer.verdict == TICKETS_PASS;
	if (login->may_try)
		login->said.slot_us = answer.again_us;
	else
		heed(connection, &answer);
	return login->may_try;
}

void login_judge(struct connection *connection)
{
	if (!login_is_said(connection))
		return;
	login_wait(connection);
	if (!login_may_try(connection))
		return;
	decrypt(connection);
	struct tickets_answer answer = tickets_judge(
		connection->host->tickets, &connection->login->said, g_get_monotonic_time());
	heed(connection, &answer);
}

/* ---- INIT ---- */

/* Returns true when it has come, or something else has, and an event was raised. */
static bool look_for_init(struct connection *connection)
{
	struct pipe *pipe = &connection->pipes[SPICE_TALK_CLIENT];
	ssize_t n = spice_talk_read(&connection->talk, SPICE_TALK_CLIENT, pipe->bytes + pipe->ready,
		pipe->end - pipe->ready);
	if (n < 0) {
		connection->why = "its display does not begin with INIT, or with a wrong one";
		connection_event(connection, EVENT_CLIENT_WRONG);
		return true;
	}
	pipe->ready += (size_t)n;
	if (connection->talk.opening == SPICE_TALK_EXPECTS_INIT)
		return false;
	connection_event(connection, EVENT_DONE);
	return true;
}

void login_await_init(struct connection *connection)
{
	channel_flush(connection);
	if (connection->phase != PHASE_INIT)
		return;
	while (!look_for_init(connection) && greeting_fill(connection))
		;
	if (connection->phase == PHASE_INIT)
		connection_want_outer(connection, true, wants_out(connection));
}

void login_say_late(struct connection *connection)
{
	connection->why = "its display says no INIT";
	closing_warn(connection);
}
