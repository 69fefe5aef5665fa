/* SPDX-License-Identifier: MIT */
/*
 * A ticket request asks the keeper for a ticket: a password, made for this, that lets one session
 * in (keeper_link.h). Whoever may connect to the socket for it, which is the desktop's own user,
 * says one REQUEST, gets one ANSWER, and the keeper hangs up. Who says TICKET_FOLLOW stays
 * connected, is told what clients lose their connections by, and may ask for more tickets; when the
 * keeper ends it hangs up. common/link.h transports all of it.
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
	TICKET_MESSAGE_EVENT,
};

#define TICKET_FOLLOW 0x10000u /* of a request's flags, beside the keeper link's */

struct ticket_request {
	struct link_header header;
	uint32_t version;      /* TICKET_REQUEST_VERSION */
	uint32_t flags;        /* KEEPER_TICKET_VIEW_ONLY and TICKET_FOLLOW, or 0 */
	uint32_t use_within_s; /* 1 to TICKET_WITHIN_MAX_S */
	uint32_t reserved;
};

enum ticket_result {
	TICKET_GIVEN,
	TICKET_NOT_UNDERSTOOD, /* another version, or out of bounds */
	TICKET_NOT_ASKED_FOR,  /* the desktop asks nobody for a password */
	TICKET_TOO_MANY,       /* whose time is not over, used ones too */
	TICKET_TOO_MANY_FOLLOW,
};

struct ticket_answer {
	struct link_header header;
	uint32_t version;
	uint32_t result;                    /* enum ticket_result */
	char ticket[KEEPER_TICKET_MAX + 5]; /* with a NUL; of GIVEN */
};

#define TICKET_EVENT_TEXT_BYTES 128

enum ticket_event_kind {
	TICKET_EVENT_DISPLAY_ENDED = 1, /* all clients are cut off, and another display comes */
	TICKET_EVENT_DESKTOP_ENDS,      /* for the reason in `text` */
};

struct ticket_event {
	struct link_header header;
	uint32_t kind; /* enum ticket_event_kind */
	uint32_t reserved;
	char text[TICKET_EVENT_TEXT_BYTES]; /* with a NUL, for people */
};
