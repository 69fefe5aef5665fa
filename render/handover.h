/* SPDX-License-Identifier: MIT */
/*
 * handover: brings what the main thread has heard from the keeper to the gpu thread.
 *
 * The main thread leaves news here and returns at once; of each kind only the newest counts. The
 * gpu thread takes all of it in one place, handover_accept(), which its loop calls between commands
 * and nobody else: a command or a rebuild that is under way keeps what it works on. What cannot go
 * on without news is put aside as a state (a parked command, a rebuild that waits) and the loop
 * comes back to it; see memory_wait.h. order.h lists what is kept in order this way.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct commands;
struct handover;
struct ledger_book;
struct memory;
struct memory_wait;
struct objects;
struct rebuild;
struct scanouts;

/* These take the news. */
struct handover_takers {
	struct objects *objects;
	struct scanouts *scanouts;
	struct commands *commands;
	struct rebuild *rebuild;
	struct memory_wait *wait;
};

/* NULL: there is no descriptor for its threads to be woken by. */
struct handover *handover_create(void);
/* Drops news that was not taken. No thread may use the handover any more. */
void handover_destroy(struct handover *handover);

/* ---- main thread ---- */

/* Sets a new memory table, and takes a reference on it. */
void handover_set_memory(struct handover *handover, struct memory *memory);
/* Takes the book over. */
void handover_set_ledger(struct handover *handover, struct ledger_book *book);
/* Takes the descriptor over. */
void handover_set_frame_link(struct handover *handover, int fd);
/* Sets what modes_set_first() takes. */
void handover_set_first_mode(
	struct handover *handover, uint32_t width, uint32_t height, uint32_t refresh_mhz);
/* Has every object of the guest forgotten, since it is new. */
void handover_set_reset(struct handover *handover);
/*
 * Returns a descriptor that is readable when the gpu thread asks for the keeper link to be read to
 * its end. It stays the handover's.
 */
int handover_get_ask_fd(const struct handover *handover);
/* Returns which request is being answered. It is to be called before the link is read. */
unsigned handover_take_request(struct handover *handover);
/*
 * Notes that the link has been read since that request was taken, so that all that the keeper had
 * said is set.
 */
void handover_keeper_read(struct handover *handover, unsigned request);
/* Ends the gpu thread's sleep. Any thread may call it. */
void handover_wake(struct handover *handover);

/* ---- gpu thread ---- */

/*
 * Returns a descriptor that is readable when there is news or somebody woke us.
 * handover_drain_wake() empties it.
 */
int handover_get_wake_fd(const struct handover *handover);
void handover_drain_wake(struct handover *handover);
/* Returns whether there is news. It is cheap, since it is asked for each command. */
bool handover_has_news(const struct handover *handover);
/*
 * Brings all news in force: a ledger, a reset, a first mode, a frame link, a memory table, in this
 * order. Objects may be gone afterwards. No command's handler and no rebuild may call it.
 */
void handover_accept(struct handover *handover, const struct handover_takers *takers);
/* Asks the main thread to read the keeper link to its end. */
void handover_ask_keeper(struct handover *handover);
/*
 * Returns true when the main thread has done what it was asked last. What that brought is news by
 * then, so the caller asks this first, and then handover_has_news().
 */
bool handover_is_keeper_read(const struct handover *handover);
