/* SPDX-License-Identifier: MIT */
/*
 * login: what a connection keeps while the client logs in with us, and we with spice-server. Only
 * the files of phases.h know it.
 *
 * Threads: the relay's.
 */
#pragma once

#include "display/relay/link_key.h"
#include "display/relay/sasl_talk.h"
#include "display/relay/spice_login.h"
#include "display/tickets/tickets.h"

/* What is known of the user whose connection it is, where no password is asked for. */
enum login_user {
	LOGIN_USER_UNKNOWN,
	LOGIN_USER_ASKED, /* the keeper */
	LOGIN_USER_WELCOME,
	LOGIN_USER_REFUSED,
};

struct login {
	enum login_user user;
	uint32_t uid; /* of WELCOME; KEEPER_UID_UNKNOWN: that is not known */
	struct spice_link link;
	uint8_t message[SPICE_LINK_BYTES_MAX]; /* that said it */
	struct link_key *key; /* the client was told its public half; NULL: not yet */
	struct spice_login_capabilities capabilities; /* that the client was told */
	uint8_t encrypted[LINK_KEY_ENCRYPTED_BYTES];  /* what it gave */
	bool may_try; /* its turn has come to be judged (tickets_ask) */
	bool decrypted;
	/* That it gave, when it is decrypted, or has proven to know. */
	char secret[LINK_KEY_PASSWORD_BYTES_MAX + 1];
	struct tickets_try said;
	int64_t stands_by_us; /* until then; 0: it was not put off for others */

	/* By SASL. */
	bool sasl_offered;
	struct sasl_talk *sasl; /* NULL: it has not chosen that */
	bool sasl_done;         /* the client was told so: now the result follows */

	/* What spice-server says. */
	uint8_t heard[SPICE_LOGIN_ANSWER_BYTES_MAX];
	size_t heard_bytes;
};

struct connection;

/* Puts this in front of what goes to the client. All that was said before must be out. */
void login_say(struct connection *connection, const uint8_t *bytes, size_t size_bytes);
/* Returns true when that is so. Otherwise it is waited for, or an event was raised. */
bool login_is_said(struct connection *connection);
/* Takes what has been read out of the client's pipe. */
void login_drain(struct connection *connection, size_t size_bytes);
/* Nothing is read from the client meanwhile. */
void login_wait(struct connection *connection);
/* Ends the log-in with the result that this error is, if the client awaits one now. */
void login_turn_away(struct connection *connection, enum spice_login_error error, const char *why);
/*
 * Returns true when the client's turn has come to be judged. Otherwise it waits for it, or is
 * turned away.
 */
bool login_may_try(struct connection *connection);
