/* SPDX-License-Identifier: MIT */
/*
 * An upgrade request asks the keeper to go on with workers of the build that lies on disk now. It
 * comes on the socket of ticket requests (ticket_request.h), from the desktop's own user: one
 * REQUEST, and one ANSWER when all is over, which may take UPGRADE_ANSWER_MS.
 *
 * What the new build speaks its programs say themselves (contracts.h), and not who asks.
 */
#pragma once

#include <stdint.h>

#include "common/link.h"

#define UPGRADE_REQUEST_VERSION 2
#define UPGRADE_ANSWER_MS 60000
#define UPGRADE_WHY_BYTES 192

/* They are other numbers than those of enum ticket_message. */
enum upgrade_message {
	UPGRADE_MESSAGE_REQUEST = 16,
	UPGRADE_MESSAGE_ANSWER,
};

struct upgrade_request {
	struct link_header header;
	uint32_t version; /* UPGRADE_REQUEST_VERSION */
	uint32_t reserved;
};

enum upgrade_result {
	UPGRADE_DONE,
	UPGRADE_REFUSED, /* nothing was changed */
	UPGRADE_UNDONE,  /* a new worker could not take over, and those of the old build go on */
	UPGRADE_IS_SAME, /* what lies on disk is what runs */
};

struct upgrade_answer {
	struct link_header header;
	uint32_t result; /* enum upgrade_result */
	/* Of DONE: for how long nobody served the guest and accepted clients; 0: that worker
	 * stayed. */
	uint32_t guest_away_us, clients_away_us;
	/* Of DONE: so many of the guest's contexts went with the old renderer. */
	uint32_t contexts_lost;
	char why[UPGRADE_WHY_BYTES]; /* NUL-padded; of the others */
};
