/* SPDX-License-Identifier: MIT */
/*
 * A ticket request asks the keeper for a ticket: a password, made for this, that lets one session
 * in (keeper_link.h). Whoever may connect to the socket for it, which is the desktop's own user,
 * says one REQUEST, gets one ANSWER, and the keeper hangs up. Who says TICKET_FOLLOW stays
 * connected, is told what clients lose their connections by and what the guest's driver does, and
 * may ask for more tickets; when the keeper ends it hangs up. common/link.h transports all of it.
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
	TICKET_MESSAGE_HAND_OVER,
};

/* Of a request's flags, beside the keeper link's. */
#define TICKET_FOLLOW 0x10000u
#define TICKET_NONE 0x20000u /* with FOLLOW: no ticket is wanted */

struct ticket_request {
	struct link_header header;
	uint32_t version;      /* TICKET_REQUEST_VERSION */
	uint32_t flags;        /* KEEPER_TICKET_VIEW_ONLY, TICKET_FOLLOW and TICKET_NONE, or 0 */
	uint32_t use_within_s; /* 1 to TICKET_WITHIN_MAX_S */
	uint32_t reserved;
};

enum ticket_result {
	TICKET_GIVEN,
	TICKET_NOT_UNDERSTOOD, /* another version, or out of bounds */
	TICKET_NOT_ASKED_FOR,  /* the desktop asks nobody for a password */
	TICKET_TOO_MANY,       /* whose time is not over, used ones too */
	TICKET_TOO_MANY_FOLLOW,
	TICKET_NOT_WANTED, /* there is none, as wished */
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
	/* A driver in the guest uses the GPU: "firmware", "2d" or "virgl" in `text`. */
	TICKET_EVENT_DRIVER_UP,
	TICKET_EVENT_DRIVER_DOWN, /* it has stopped, or the machine has */
	TICKET_EVENT_CLIENT_CAME, /* from where, and who, in `text`, as display says it */
	TICKET_EVENT_CLIENT_LEFT,
	TICKET_EVENT_CLIENT_REFUSED,   /* though it knows the password */
	TICKET_EVENT_CLIENT_DRIVES,    /* it was handed over to it */
	TICKET_EVENT_CLIENT_NOT_THERE, /* to whom it was to be */
	TICKET_EVENT_DEVICE_LATE,      /* QEMU has not started the guest's GPU, as `text` says */
};

struct ticket_event {
	struct link_header header;
	uint32_t kind; /* enum ticket_event_kind */
	uint32_t reserved;
	char text[TICKET_EVENT_TEXT_BYTES]; /* with a NUL, for people */
};

/* Of one who follows: has a client drive (keeper_link.h). An event says what came of it. */
struct ticket_hand_over {
	struct link_header header;
	char client[KEEPER_CLIENT_NAME_BYTES]; /* with a NUL */
};
