/* SPDX-License-Identifier: MIT */
/*
 * greeting: from a connection's first byte to the channel it is for: TLS where it is due, a
 * WebSocket request where one is made, the SPICE link message. What was read stays in the pipe.
 *
 * A plain connection for a channel that needs no relay is looked at and not read from, so that it
 * can be handed over as it came.
 *
 * Threads: the relay's.
 */
#pragma once

#include <stdbool.h>

#include "display/relay/outer.h"
#include "display/relay/pipe.h"

enum greeting_verdict {
	GREETING_MORE,      /* poll, and go on */
	GREETING_RELAY,     /* the pipe has what was read; it may be nothing */
	GREETING_HAND_OVER, /* nothing was read */
	GREETING_FAILED,    /* *why says how */
};

struct greeting {
	int fd;
	struct outer *outer;
	struct pipe *pipe;
	bool open; /* no password will be asked for (websocket.h) */
	unsigned step;
	size_t seen_bytes; /* of the request (http_request.h) */
};

void greeting_init(struct greeting *greeting, int fd, struct outer *outer, struct pipe *pipe,
	bool tls, bool open);
enum greeting_verdict greeting_go(struct greeting *greeting, const char **why);
