/* SPDX-License-Identifier: MIT */
/*
 * transfers are copies on their way between programs of the guest and the daemon: what a program
 * has copied is read from a pipe to its end, and what the client has is written to a pipe when it
 * has come. No program is waited for: each pipe is polled, and left when it stands still.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest-tools/clipboard/compositor.h"
#include "guest-tools/clipboard/limits.h"

enum transfer_state {
	TRANSFER_FREE,
	TRANSFER_READS,  /* from a program */
	TRANSFER_WAITS,  /* for the client's content */
	TRANSFER_WRITES, /* it to a program */
};

struct transfer {
	enum transfer_state state;
	enum selection selection;
	unsigned kind;
	int fd;
	uint8_t *data;
	size_t filled, room; /* of what is read; `filled` is all of what is written */
	size_t done;
	int64_t moved_ms;
};

struct transfers {
	struct transfer all[TRANSFERS_MAX];
	/* Gives what a program had copied; NULL and 0: nothing. */
	void (*copied)(void *user, enum selection selection, unsigned kind, const uint8_t *data,
		size_t n_bytes);
	void *user;
};

/* Both take the descriptor over. They give false when there are too many. */
bool transfers_read(struct transfers *transfers, enum selection selection, unsigned kind, int fd);
bool transfers_wait(struct transfers *transfers, enum selection selection, unsigned kind, int fd);
/* Gives the client's content to all who wait for it; KIND_NONE: there is none of any kind. */
void transfers_give(struct transfers *transfers, enum selection selection, unsigned kind,
	const uint8_t *data, size_t n_bytes);
/* Ends what waits and what is written, since the client has left. */
void transfers_drop(struct transfers *transfers);

/* Fills in what is to be polled, TRANSFERS_MAX at most, and gives how many. */
unsigned transfers_poll(const struct transfers *transfers, struct pollfd *polls);
/* Moves what can be moved. */
void transfers_move(struct transfers *transfers);
