/* SPDX-License-Identifier: MIT */
/*
 * spice talk: the bytes of one SPICE connection, in both directions, cut into messages as they
 * pass. Knows the link phase, both forms of message headers (the short one is agreed on by
 * capabilities) and nothing of what messages mean. A few kinds can be watched: their first bytes
 * are shown, whole and in place, and may be changed. Everything else passes as it comes, in pieces
 * of any size.
 *
 * A display channel's beginning is watched over: spice-server (0.15.1,
 * display_channel_client_wait_for_init) uses a channel once more after freeing it when that ends,
 * or says something wrong, before spice-server has read the client's INIT and gone on. So until
 * then whole messages pass, INIT as it must be, nothing behind it before the server has gone on,
 * and whoever closes the connection asks first.
 *
 * Wire format: spice/protocol.h. Of a message with a sub-list the message itself is shown, what is
 * in the list is not: spice-server uses lists on display channels only, to invalidate caches.
 *
 * Memory: none but the struct. Threads: any one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "display/door/limits.h"
#include "display/door/spice_link.h"

enum spice_talk_side {
	SPICE_TALK_CLIENT,
	SPICE_TALK_SERVER,
	SPICE_TALK_SIDES,
};

/* How much of a watched message is shown. */
#define SPICE_TALK_SHOWN_MAX 64
/* What the longest header takes (SpiceDataHeader). */
#define SPICE_TALK_HEADER_MAX 18
/* No side ever waits for more: what is passed in must have room for it. */
#define SPICE_TALK_HELD_MAX SPICE_LINK_BYTES_MAX

struct spice_talk_watch {
	enum spice_link_channel channel;
	enum spice_talk_side side;
	uint16_t type;
	uint16_t size_bytes; /* shorter messages are not shown; at most SPICE_TALK_SHOWN_MAX */
	/* `body` may be changed in its first `size_bytes`. */
	void (*shown)(void *user, uint8_t *body, size_t size_bytes);
};

enum spice_talk_opening {
	SPICE_TALK_CLOSED, /* spice-server has not let the client in */
	SPICE_TALK_EXPECTS_INIT,
	SPICE_TALK_HAD_INIT, /* has it gone on? */
	SPICE_TALK_OPEN,
};

struct spice_talk {
	const struct spice_talk_watch *watches;
	unsigned n_watches;
	void *user;
	struct spice_link link; /* the client's, once it is known */
	bool linked;            /* `link` is filled in */
	bool replied;           /* the server's answer has passed */
	bool mini_header;       /* both take short headers */
	bool stops; /* the owner's choice: spice_talk_read of the server's side stops at each
		       message's end */
	enum spice_talk_opening opening; /* of a display channel; others are open */
	struct spice_talk_direction {
		unsigned step;       /* what comes next */
		uint64_t skip_bytes; /* before it */
	} directions[SPICE_TALK_SIDES];
};

void spice_talk_init(struct spice_talk *talk, const struct spice_talk_watch *watches,
	unsigned n_watches, void *user);

/*
 * Reads on in what a side sent. Returns how many of the bytes may be passed on; the rest, fewer
 * than SPICE_TALK_HELD_MAX, must come again with more behind them. -EPROTO: not SPICE, or a kind of
 * log-in that spice-server is not asked to offer.
 *
 * Where `stops` is set, what may be passed on of the server's side ends with the first message that
 * ends in it; the answer and the result of the log-in count as messages. The rest may then be
 * longer, and hold whole messages: it must be read again, with nothing behind it, until none of it
 * may be passed on.
 */
ssize_t spice_talk_read(
	struct spice_talk *talk, enum spice_talk_side side, uint8_t *bytes, size_t size_bytes);

/* The client's ticket has passed: spice-server may let it in at any time. */
bool spice_talk_has_ticket(const struct spice_talk *talk);
/* spice-server has refused the client, and says so. */
bool spice_talk_is_refused(const struct spice_talk *talk);
/* spice-server has let the client in: messages follow from it. */
bool spice_talk_is_logged_in(const struct spice_talk *talk);

/* Nothing more is taken from the client until the server has gone on, or for too long. */
bool spice_talk_is_paused(const struct spice_talk *talk);
void spice_talk_resume(struct spice_talk *talk);

/*
 * What to say to spice-server for a client that has gone too early; returns its size, 0: nothing.
 * Then let it go on before the connection is closed; spice_talk_may_close says when it has.
 */
#define SPICE_TALK_INIT_BYTES_MAX 32
size_t spice_talk_make_init(
	const struct spice_talk *talk, uint8_t bytes[SPICE_TALK_INIT_BYTES_MAX]);
/* It was said. */
void spice_talk_had_init(struct spice_talk *talk);
bool spice_talk_may_close(const struct spice_talk *talk);

/* All that was read ended with a message: another may be put in here. A display channel takes none
 * from the client's side before it is open. */
bool spice_talk_is_between(const struct spice_talk *talk, enum spice_talk_side side);

/*
 * Writes a message of our own. Returns its size, 0 when there is no room or when headers are long:
 * those are numbered, and the number is not ours to give.
 */
size_t spice_talk_make(const struct spice_talk *talk, uint16_t type, const void *body,
	size_t body_bytes, uint8_t *bytes, size_t size_bytes);
