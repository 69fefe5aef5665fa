/* SPDX-License-Identifier: MIT */
/*
 * An upgrade request asks the keeper to go on with a renderer of the build that lies on disk now.
 * It comes on the socket of ticket requests (ticket_request.h), from the desktop's own user: one
 * REQUEST, and one ANSWER when all is over, which may take UPGRADE_ANSWER_MS.
 *
 * Who asks is of the new build and says what that speaks. A keeper that speaks otherwise refuses.
 */
#pragma once

#include <stdint.h>

#include "common/link.h"
#include "protocol/frame_link.h"
#include "protocol/heartbeat.h"
#include "protocol/keeper_link.h"
#include "protocol/ledger.h"
#include "protocol/stats.h"

#define UPGRADE_ANSWER_MS 60000
#define UPGRADE_WHY_BYTES 192

/* They are other numbers than those of enum ticket_message. */
enum upgrade_message {
	UPGRADE_MESSAGE_REQUEST = 16,
	UPGRADE_MESSAGE_ANSWER,
};

/* What two builds must have in common. */
enum upgrade_contract {
	UPGRADE_KEEPER_LINK,
	UPGRADE_FRAME_LINK,
	UPGRADE_LEDGER,
	UPGRADE_HEARTBEAT,
	UPGRADE_STATS,
	UPGRADE_CONTRACTS,
};

#define UPGRADE_OWN_VERSIONS                                                                       \
	{                                                                                          \
		[UPGRADE_KEEPER_LINK] = KEEPER_LINK_VERSION,                                       \
		[UPGRADE_FRAME_LINK] = FRAME_LINK_VERSION, [UPGRADE_LEDGER] = LEDGER_VERSION,      \
		[UPGRADE_HEARTBEAT] = HEARTBEAT_VERSION, [UPGRADE_STATS] = STATS_VERSION,          \
	}

struct upgrade_request {
	struct link_header header;
	uint32_t versions[UPGRADE_CONTRACTS];
	uint32_t reserved;
};

enum upgrade_result {
	UPGRADE_DONE,
	UPGRADE_REFUSED, /* nothing was changed */
	UPGRADE_UNDONE, /* the new renderer could not take over, and one of the old build goes on */
};

struct upgrade_answer {
	struct link_header header;
	uint32_t result;             /* enum upgrade_result */
	uint32_t pause_us;           /* of DONE: for how long nobody served the guest */
	char why[UPGRADE_WHY_BYTES]; /* NUL-padded; of the others */
};
