/* SPDX-License-Identifier: MIT */
/*
 * delays: make guessing slow, for one network and for all together.
 *
 * A try is a password that is about to be compared. The first few of a network cost nothing; each
 * one after that has to wait longer, behind those of its network that wait already. All networks
 * together are bounded, too: those that have failed wait in one line, those that never have in
 * another, and those from which the right password has come in none, so that whoever guesses from
 * many places does not hold up the people who come every day.
 *
 * Threads: the caller's lock guards it.
 */
#pragma once

#include <stdint.h>

struct delays;

struct delays *delays_create(void);
void delays_destroy(struct delays *delays);

/*
 * Counts a try of this network. Returns when it may be compared: `now_us` or later, or -1 when it
 * would have to wait for too long, and then nothing was counted.
 */
int64_t delays_try(struct delays *delays, uint64_t network, int64_t now_us);
/* Says that a try was an empty password, as clients send it that have none yet. */
void delays_empty(struct delays *delays, uint64_t network);
/* Says that a try was right: it and the empty ones before it are no longer counted, and the network
 * is known to be good. */
void delays_right(struct delays *delays, uint64_t network, int64_t now_us);
