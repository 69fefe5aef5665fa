/* SPDX-License-Identifier: MIT */
/*
 * spice talk: cuts the bytes of one SPICE channel, in both directions, into messages as they pass,
 * from the first one on: what comes before is spice_login.h's. It knows both forms of message
 * headers (both sides agree on the short one by capabilities), but not what messages mean. Its
 * owner can watch a few kinds of messages: it is shown their first bytes in place, and may change
 * them. All other bytes pass as they come, in pieces of any size.
 *
 * A client may say only what spice-server bears (spice_manners.h).
 *
 * A display channel's beginning is watched over: spice-server (0.15.1,
 * display_channel_client_wait_for_init) uses a channel once more after freeing it when that ends,
 * or says something wrong, before spice-server has read the client's INIT and gone on. So until
 * then only whole messages pass in which spice-server finds no fault, INIT as it must be, and
 * whoever closes the connection asks first. That spice-server has gone on shows in what it says:
 * where its head shows nothing, it says nothing, and other messages wait.
 *
 * spice/protocol.h has the wire format. If a message has a sub-list, the message itself is shown
 * and those in the list are not: spice-server uses lists only on display channels, to invalidate
 * caches.
 *
 * It allocates nothing. Threads: any, one at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "display/door/spice_link.h"
#include "display/relay/limits.h"
#include "display/relay/spice_manners.h"

enum spice_talk_side {
	SPICE_TALK_CLIENT,
	SPICE_TALK_SERVER,
	SPICE_TALK_SIDES,
};

struct spice_talk_watch {
	enum spice_link_channel channel;
	enum spice_talk_side side;
	uint16_t type;
	uint16_t size_bytes; /* shorter messages are not shown; at most SPICE_TALK_SHOWN_MAX */
	/* `body` may be changed in its first `size_bytes`. */
	void (*shown)(void *user, uint8_t *body, size_t size_bytes);
};

enum spice_talk_opening {
	SPICE_TALK_CLOSED, /* of other channels */
	SPICE_TALK_EXPECTS_INIT,
	SPICE_TALK_HAD_INIT, /* INIT has passed; it is not known whether spice-server has gone on */
	SPICE_TALK_OPEN,
};

struct spice_talk {
	const struct spice_talk_watch *watches;
	unsigned n_watches;
	void *user;
	struct spice_link link; /* the client's; a display channel's beginning depends on it */
	bool mini_header;       /* both sides agreed on short headers */
	bool stops; /* the owner's choice: spice_talk_read of the server's side stops at each
		       message's end */
	enum spice_talk_opening opening; /* of a display channel; others are open */
	struct spice_manners manners;    /* the client's */
	bool waits;                      /* the client's next message, for the server to go on */
	uint64_t skip_bytes[SPICE_TALK_SIDES]; /* of the message that passes */
};

void spice_talk_init(struct spice_talk *talk, const struct spice_talk_watch *watches,
	unsigned n_watches, void *user);

/* Says what channel it is. Must be called before anything is read. */
void spice_talk_begin(struct spice_talk *talk, const struct spice_link *link, bool mini_header);

/*
 * Reads the next bytes of a side. Returns how many of them may be passed on. The rest, fewer than
 * SPICE_TALK_HELD_MAX, must come again with more behind them. Returns -EPROTO when the client says
 * what spice-server must not hear.
 *
 * If `stops` is set, what may be passed on of the server's side ends with the first message that
 * ends in it. Then the rest may be longer and hold whole messages: it must be read again, with
 * nothing behind it, until none of it may be passed on.
 */
ssize_t spice_talk_read(
	struct spice_talk *talk, enum spice_talk_side side, uint8_t *bytes, size_t size_bytes);

/* Returns true when nothing more is taken from the client until the server has gone on. */
bool spice_talk_is_paused(const struct spice_talk *talk);

/*
 * Returns true when all that was read of a side ended with a message, so that another may be put in
 * here. On a display channel that is not open yet nothing may be put in from the client's side.
 */
bool spice_talk_is_between(const struct spice_talk *talk, enum spice_talk_side side);

/*
 * Writes a message of our own. Returns its size, or 0 when there is no room, or when headers are
 * long: long headers number the messages, and an additional one would break the count.
 */
size_t spice_talk_make(const struct spice_talk *talk, uint16_t type, const void *body,
	size_t body_bytes, uint8_t *bytes, size_t size_bytes);
