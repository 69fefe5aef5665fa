/* SPDX-License-Identifier: MIT */
/*
 * making: counts the time that a guest's programs take from each other by what they make.
 *
 * Commands are worked in order. So a program that has textures, contexts, shaders or uploads made
 * without end, and keeps the ring full of them, has the renderer to itself. What such a command
 * took is noted, and it is charged when another program comes to its turn behind it, once all that
 * others had made since the ring was last empty has taken MAKING_WAIT_MIN_NS, about as long as two
 * pictures of 60 Hz. The guest can save up as much as it regains in MAKING_SAVED_S seconds. When
 * less than half of that is left, what nobody has waited for yet counts as used, too, so that a
 * full ring does not use much more than there is. When all is used up, a program that has made more
 * than a little of late is late, and what it asks for is refused until some has been regained. A
 * program that has painted a head is never late, since with the guest's compositor all of its
 * desktop would go.
 *
 * What drivers compile for draws is known only when it is done, and takes time like the rest. A
 * program that is late and had something compiled last has its draws left out until it is not late
 * any more, and none of its streams compiles for longer than there is time left; it is not lost, as
 * it may be a game that loads. Who waits behind a full ring of draws that compile is heard of when
 * all of that is over. So another program that drew just before is taken to wait.
 *
 * A program is never late while no other draws, nor is one that waits for each of its pictures, as
 * long as the ring runs empty in between. One that loads all that the other quotas allow, while
 * another draws, needs less than is saved up where memory is quickly there: 64 MiB of shaders' text
 * took 9 s by software rendering. Where a page costs 35 us it gets 1.6 GiB of textures at once.
 *
 * Times are of CLOCK_MONOTONIC, in nanoseconds. One thread uses all accounts of a guest.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct quota_account;

#define MAKING_WAIT_MIN_NS UINT64_C(30000000)
#define MAKING_SAVED_S 50
/*
 * A context is not late with the guest if it has made less than this of late, or less than half of
 * what contexts have on average, where that is more.
 */
#define MAKING_OWN_NS UINT64_C(100000000)

/*
 * A stream may have this much compiled in any case, and this much at most: a submission that takes
 * 10 s (the initial --submit-limit) costs all programs their contexts.
 */
#define MAKING_COMPILE_MIN_NS UINT64_C(50000000)
#define MAKING_COMPILE_MAX_NS UINT64_C(6000000000)
/* Who drew no longer than this before is taken to wait for its turn. */
#define MAKING_DREW_NS UINT64_C(1000000000)
/* A program does not count as one that compiles for less than this in a stream. */
#define MAKING_COMPILED_NS UINT64_C(5000000)

/* Each account has one of these. */
struct making {
	/* Only the guest's account uses these. */
	int64_t left_ns; /* below 0: regained first */
	uint64_t filled_ns;
	uint64_t turn;                      /* rises when the ring is empty, and with each charge */
	uint64_t unwaited_ns;               /* made in this turn, by all */
	uint64_t waited_ns, n_refused;      /* in sum */
	const struct quota_account *drawer; /* who drew last; only compared */
	uint64_t drawn_ns, other_drawn_ns;  /* when it did, and another one before it */

	/* Each account uses these. */
	uint64_t own_turn, own_unwaited_ns; /* the same, by this one */
	uint64_t used_ns, used_at_ns;       /* of late, waited for or not; the guest's: of all */
	uint64_t n_made;                    /* of what takes time inside of a stream, in sum */
	uint64_t compiled_ns;               /* for its draws, in sum */
	uint64_t n_compiled;                /* how often that was, in sum */
	bool is_long_told;                  /* that a submission had too much compiled */
	bool compiles;                      /* the last stream that was worked had to */
	bool is_late;                       /* at its last making_look() */
	bool is_spared;                     /* never late: the guest's desktop itself */
};

void making_init(struct quota_account *guest);
/*
 * Begins a context's account as if it had made all that was made of late, since nobody knows whose
 * a new program is. So a program gains nothing by beginning anew.
 */
void making_init_context(struct quota_account *context);
/* Notes that the account's program had something made, which took `ns`. */
void making_note(struct quota_account *account, uint64_t ns, uint64_t now_ns);
/* Notes that what was noted for the guest, since nobody knew whose it was, is this context's. */
void making_move(struct quota_account *context, uint64_t ns, uint64_t now_ns);
/*
 * Notes that a program comes to its turn and charges what it has waited for. `waiter` is NULL for
 * one that has made nothing itself.
 */
void making_take_turn(
	struct quota_account *guest, const struct quota_account *waiter, uint64_t now_ns);
/* Notes that the ring is empty, so that nobody waits. */
void making_rest(struct quota_account *guest);
/* Finds out whether the account is late now. making_allows() goes by that until the next look. */
void making_look(struct quota_account *account, uint64_t now_ns);
/* Returns false when the account is late. That is logged once, and counted. */
bool making_allows(struct quota_account *account);
/* Logs and counts the same of what has been refused otherwise. */
void making_refuse(struct quota_account *account);
/* Does so of draws that are left out behind MAKING_COMPILE_MAX_NS, which nobody need wait for. */
void making_refuse_long(struct quota_account *account);
/* Notes that the context draws, though it may have made nothing. */
void making_note_drawn(struct quota_account *context, uint64_t now_ns);
/*
 * Returns for how long the next stream of the account may have things compiled for what it draws.
 * 0: nothing of it is to be drawn. UINT64_MAX: the guest's quota allows all of each second.
 */
uint64_t making_get_compile_ns(struct quota_account *account, uint64_t now_ns);
/* Notes for how long a stream that was worked has had things compiled. */
void making_note_compiled(struct quota_account *account, uint64_t ns);
