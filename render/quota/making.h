/* SPDX-License-Identifier: MIT */
/*
 * making: the time that a guest's programs take from each other by what they make.
 *
 * Commands are worked in order. So a program that has textures, contexts, shaders or uploads made
 * without end, and keeps the ring full of them, has the renderer to itself. What such a command
 * took is noted, and it is charged when another program comes to its turn behind it: when those of
 * all others since the ring was last empty are MAKING_WAIT_MIN_NS, as long as two pictures of 60
 * Hz. The guest saves up what it regains in MAKING_SAVED_S. From half of that on, what nobody has
 * waited for yet counts as used, too, so that a full ring does not use much more than there is.
 * When all is used up, whoever has made more than a little of late is late, and what it asks for is
 * refused until some has been regained. Who has painted a head is never late, since with the
 * guest's compositor all of its desktop would go.
 *
 * A program is never late while no other draws, nor is one that waits for each of its pictures, as
 * long as the ring runs empty in between. One that loads all that the other quotas allow, while
 * another draws, needs less than is saved up where memory is quickly there: 64 MiB of shaders' text
 * took 9 s by software rendering. Where a page costs 35 us it gets 1.6 GiB of textures at once.
 *
 * Times are of CLOCK_MONOTONIC, in nanoseconds. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct quota_account;

#define MAKING_WAIT_MIN_NS UINT64_C(30000000)
#define MAKING_SAVED_S 50
/*
 * What a context may have made of late and not be late with the guest; or half of what contexts
 * have on average, where that is more.
 */
#define MAKING_OWN_NS UINT64_C(100000000)

/* Each account has one. */
struct making {
	/* Only the guest's account uses these. */
	int64_t left_ns; /* below 0: regained first */
	uint64_t filled_ns;
	uint64_t turn;                 /* rises when the ring is empty, and with each charge */
	uint64_t unwaited_ns;          /* made in this turn, by all */
	uint64_t waited_ns, n_refused; /* in sum */

	/* Each account uses these. */
	uint64_t own_turn, own_unwaited_ns; /* the same, by this one */
	uint64_t used_ns, used_at_ns;       /* of late, waited for or not; the guest's: of all */
	uint64_t n_made;                    /* of what takes time inside of a stream, in sum */
	bool is_late;                       /* at its last making_look() */
	bool is_spared;                     /* never late: the guest's desktop itself */
};

void making_init(struct quota_account *guest);
/*
 * Of a new program nobody knows whose it is: it begins as if it had made all that was made of late.
 * So a program gains nothing by beginning anew.
 */
void making_init_context(struct quota_account *context);
/* The account's program had something made, which took so long. */
void making_note(struct quota_account *account, uint64_t ns, uint64_t now_ns);
/* What was noted for the guest, since nobody knew whose it was, is this context's. */
void making_move(struct quota_account *context, uint64_t ns, uint64_t now_ns);
/* A program comes to its turn. NULL: one that has made nothing itself. */
void making_take_turn(
	struct quota_account *guest, const struct quota_account *waiter, uint64_t now_ns);
/* The ring is empty: nobody waits. */
void making_rest(struct quota_account *guest);
/* Finds out whether the account is late now, which is what making_allows() says until the next. */
void making_look(struct quota_account *account, uint64_t now_ns);
/* False when the account is late: that is logged once, and counted. */
bool making_allows(struct quota_account *account);
