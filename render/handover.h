/* SPDX-License-Identifier: MIT */
/*
 * handover: what the main thread has heard from the keeper, on its way to the gpu thread.
 *
 * The main thread leaves news here and returns at once; of each kind only the newest counts. The
 * gpu thread takes all of it in one place, handover_accept(), which its loop calls between commands
 * and nobody else: a command or a rebuild that is under way keeps what it works on. What cannot go
 * on without news is put aside as a state (a parked command, a rebuild that waits) and the loop
 * comes back to it; see memory_wait.h. order.h lists what is kept in order this way.
 */
#pragma once

#include <stdbool.h>

struct commands;
struct handover;
struct ledger_book;
struct memory;
struct memory_wait;
struct objects;
struct rebuild;
struct scanouts;

/* Who takes the news. */
struct handover_takers {
	struct objects *objects;
	struct scanouts *scanouts;
	struct commands *commands;
	struct rebuild *rebuild;
	struct memory_wait *wait;
};

struct handover *handover_create(void);
/* No thread may use it any more. News that was not taken is dropped. */
void handover_destroy(struct handover *handover);

/* ---- main thread ---- */

/* Takes a reference. */
void handover_set_memory(struct handover *handover, struct memory *memory);
/* Takes the book over. */
void handover_set_ledger(struct handover *handover, struct ledger_book *book);
/* Takes the descriptor over. */
void handover_set_frame_link(struct handover *handover, int fd);
/* The guest is new: forget every object of it. */
void handover_set_reset(struct handover *handover);
/* Readable when the gpu thread asks for the keeper link to be read to its end. */
int handover_get_ask_fd(const struct handover *handover);
/* To be called before the link is read; returns which request is being answered. */
unsigned handover_take_request(struct handover *handover);
/* The link has been read since that request was taken: all that the keeper had said is set. */
void handover_keeper_read(struct handover *handover, unsigned request);
/* Ends the gpu thread's sleep. Any thread may call it. */
void handover_wake(struct handover *handover);

/* ---- gpu thread ---- */

/* Readable when there is news or somebody woke us; emptied by handover_drain_wake(). */
int handover_get_wake_fd(const struct handover *handover);
void handover_drain_wake(struct handover *handover);
/* It is cheap, since it is asked for each command. */
bool handover_has_news(const struct handover *handover);
/*
 * Brings all news in force: a ledger, a reset, a frame link, a memory table, in this order. Objects
 * may be gone afterwards. Never to be called by a command's handler or a rebuild.
 */
void handover_accept(struct handover *handover, const struct handover_takers *takers);
/* Asks the main thread to read the keeper link to its end. */
void handover_ask_keeper(struct handover *handover);
/*
 * True when the main thread has done what it was asked last. What that brought is news by then: ask
 * this first, then handover_has_news().
 */
bool handover_is_keeper_read(const struct handover *handover);
