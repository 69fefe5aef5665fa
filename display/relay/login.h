/* SPDX-License-Identifier: MIT */
/*
 * login: what a connection keeps while the client logs in with us, and we with spice-server. Only
 * the files of phases.h know it.
 *
 * Threads: the relay's.
 */
#pragma once

#include "display/relay/link_key.h"
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
	struct spice_link link;
	uint8_t message[SPICE_LINK_BYTES_MAX]; /* that said it */
	struct link_key *key; /* the client was told its public half; NULL: not yet */
	struct spice_login_capabilities capabilities; /* that the client was told */
	uint8_t encrypted[LINK_KEY_ENCRYPTED_BYTES];  /* what it gave */
	bool decrypted;
	char secret[LINK_KEY_PASSWORD_BYTES_MAX + 1]; /* that it gave, when it is decrypted */
	struct tickets_try said;
	int64_t stands_by_us; /* until then; 0: it was not put off for others */

	/* What spice-server says. */
	uint8_t heard[SPICE_LOGIN_ANSWER_BYTES_MAX];
	size_t heard_bytes;
};
