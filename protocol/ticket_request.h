/* SPDX-License-Identifier: MIT */
/*
 * A ticket request asks the keeper for a ticket: a password, made for this, that lets one session
 * in (keeper_link.h). Whoever may connect to the socket for it, which is the desktop's own user,
 * says one REQUEST, gets one ANSWER, and the keeper hangs up. common/link.h transports both.
 */
#pragma once

#include <stdint.h>

#include "common/link.h"
#include "protocol/keeper_link.h"

#define TICKET_REQUEST_VERSION 1
/* A ticket must be used first within so many seconds at most. */
#define TICKET_WITHIN_MAX_S 86400

enum ticket_message {
	TICKET_MESSAGE_REQUEST = 1,
	TICKET_MESSAGE_ANSWER,
};

struct ticket_request {
	struct link_header header;
	uint32_t version;      /* TICKET_REQUEST_VERSION */
	uint32_t flags;        /* KEEPER_TICKET_VIEW_ONLY or 0 */
	uint32_t use_within_s; /* 1 to TICKET_WITHIN_MAX_S */
	uint32_t reserved;
};

enum ticket_result {
	TICKET_GIVEN,
	TICKET_NOT_UNDERSTOOD, /* another version, or out of bounds */
	TICKET_NOT_ASKED_FOR,  /* the desktop asks nobody for a password */
	TICKET_TOO_MANY,       /* whose time is not over, used ones too */
};

struct ticket_answer {
	struct link_header header;
	uint32_t version;
	uint32_t result;                    /* enum ticket_result */
	char ticket[KEEPER_TICKET_MAX + 5]; /* with a NUL; of GIVEN */
};
