/* SPDX-License-Identifier: MIT */
/*
 * login_sasl: leads a client that has chosen SASL from the list of mechanisms to its judgement.
 * That is the same as of a ticket (login.c), and comes at the same price for whoever guesses: a
 * client has its turn before SCRAM's keys are computed for it, and not only when its proof is
 * compared.
 */
#include <glib.h>
#include <string.h>

#include "display/relay/login.h"
#include "display/relay/phases.h"
#include "display/relay/sasl_talk.h"
#include "display/relay/spice_sasl.h"

static void go_wrong(struct connection *connection)
{
	connection->why = "what it says to log in by SASL is wrong";
	connection_event(connection, EVENT_CLIENT_WRONG);
}

static bool on_find(void *user, const char *name, char secret[TICKETS_SECRET_MAX + 1])
{
	struct connection *connection = user;
	struct tickets_try said = connection->login->said;
	said.user = name;
	return tickets_find(connection->host->tickets, &said, secret);
}

void login_sasl_begin(struct connection *connection)
{
	uint8_t bytes[SPICE_SASL_ANSWER_BYTES_MAX];
	struct login *login = connection->login;
	login->sasl = sasl_talk_create(on_find, connection);
	if (!login->sasl) {
		connection->why = "SASL cannot be had now";
		connection_event(connection, EVENT_REFUSED);
		return;
	}
	login_say(connection, bytes, spice_sasl_make_list(sasl_talk_list(login->sasl), bytes));
}

/* ---- the start ---- */

static ssize_t read_start(const struct connection *connection, struct spice_sasl_start *start)
{
	const struct pipe *pipe = &connection->pipes[SPICE_TALK_CLIENT];
	return spice_sasl_read_start(pipe->bytes + pipe->ready, pipe->end - pipe->ready, start);
}

/* Returns true when it is known, and an event was raised. It stays in the pipe until its turn. */
static bool look_at_start(struct connection *connection)
{
	struct spice_sasl_start start;
	ssize_t n = read_start(connection, &start);
	if (n == 0)
		return false;
	if (n < 0)
		go_wrong(connection);
	else if (!sasl_talk_knows(start.mechanism))
		login_turn_away(connection, SPICE_LOGIN_INVALID_DATA,
			"it wants to log in by other means than it was offered");
	else
		connection_event(connection, EVENT_DONE);
	return true;
}

void login_sasl_read_start(struct connection *connection)
{
	if (!login_is_said(connection))
		return;
	while (!look_at_start(connection) && greeting_fill(connection))
		;
}

/* ---- what comes of it ---- */

/* From here on it is judged. One that has failed is judged as one that nobody has. */
static void finish(struct connection *connection)
{
	struct login *login = connection->login;
	g_strlcpy(login->secret, sasl_talk_secret(login->sasl), sizeof(login->secret));
	login->decrypted = true;
	connection_event(connection, EVENT_DONE);
}

static void go_on(struct connection *connection, enum sasl_talk_state state,
	const struct spice_sasl_datum *answer)
{
	uint8_t bytes[SPICE_SASL_ANSWER_BYTES_MAX];
	struct login *login = connection->login;
	size_t n = spice_sasl_make_answer(answer, state == SASL_TALK_DONE, bytes);
	login->said.user = sasl_talk_name(login->sasl);
	login->sasl_done = state == SASL_TALK_DONE;
	if (n == 0)
		state = SASL_TALK_FAILED;
	if (state != SASL_TALK_FAILED)
		login_say(connection, bytes, n);
	if (state != SASL_TALK_GOES_ON)
		finish(connection);
	else if (connection->phase == PHASE_SASL_ASK)
		connection_event(connection, EVENT_SASL);
}

/* SCRAM's keys take a millisecond: a crowd in sessions that there are has no turn to wait for. */
void login_sasl_ask(struct connection *connection)
{
	struct spice_sasl_start start;
	struct spice_sasl_datum answer;
	login_wait(connection);
	if (!login_may_try(connection) || !greeting_may_compute(connection))
		return;
	ssize_t n = read_start(connection, &start);
	g_assert(n > 0);
	enum sasl_talk_state state = sasl_talk_start(connection->login->sasl, &start, &answer);
	effort_end(connection->host->effort);
	explicit_bzero(connection->pipes[SPICE_TALK_CLIENT].bytes +
			       connection->pipes[SPICE_TALK_CLIENT].ready,
		(size_t)n);
	login_drain(connection, (size_t)n);
	go_on(connection, state, &answer);
}

/* ---- steps ---- */

/* Returns true when one was there, and was dealt with. */
static bool look_at_step(struct connection *connection)
{
	struct spice_sasl_datum datum, answer;
	struct pipe *pipe = &connection->pipes[SPICE_TALK_CLIENT];
	ssize_t n =
		spice_sasl_read_datum(pipe->bytes + pipe->ready, pipe->end - pipe->ready, &datum);
	if (n == 0)
		return false;
	if (n < 0) {
		go_wrong(connection);
		return true;
	}
	enum sasl_talk_state state = sasl_talk_step(connection->login->sasl, &datum, &answer);
	explicit_bzero(pipe->bytes + pipe->ready, (size_t)n);
	login_drain(connection, (size_t)n);
	go_on(connection, state, &answer);
	return true;
}

void login_sasl_read_step(struct connection *connection)
{
	while (connection->phase == PHASE_SASL_STEP && login_is_said(connection) &&
		(look_at_step(connection) || greeting_fill(connection)))
		;
}
