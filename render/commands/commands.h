/* SPDX-License-Identifier: MIT */
/*
 * commands: works the control queue. It takes what the guest asks, has it done, and answers.
 *
 * Commands are executed one at a time and in order. One that names memory which is not in the table
 * may be put aside until there is a newer one: it is *parked* in front of the queue, nothing of it
 * has been done, and nothing overtakes it. While a command is executed no news of the keeper is
 * accepted (handover.h), so a handler keeps what it found. This room owns the queue, the answers
 * that wait and who paints which head. Only the gpu thread calls it, unless said otherwise.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct chain;
struct commands;
struct objects;
struct scanouts;
struct virtqueue;

/* With `virgl` the guest may draw. Both rooms must live longer, and there are no objects yet. */
struct commands *commands_create(struct objects *objects, struct scanouts *scanouts, bool virgl);
void commands_destroy(struct commands *commands);
/*
 * Is called when virglrenderer has started: what guests' programs send is checked by what it
 * offers.
 */
void commands_use_gl(struct commands *commands);
/* Has this called when what a context has sent was refused, and it is lost; NULL: nothing. */
void commands_tell_lost(struct commands *commands, void (*lost)(uint32_t context));
/* Returns the control queue. It locks itself, and the main thread starts and stops it. */
struct virtqueue *commands_get_queue(struct commands *commands);

/* Returns the next command: the one that was parked, or a new one; NULL when there is none. */
struct chain *commands_take(struct commands *commands);
/*
 * Executes and answers the chain that was taken last. Returns false when it names memory that is
 * not in the table and may wait for a newer table: then it is parked.
 */
bool commands_execute(struct commands *commands, struct chain *chain, bool may_wait);
/* Parks the chain that was taken last, because something else comes first. */
void commands_park(struct commands *commands, struct chain *chain);
bool commands_have_parked(const struct commands *commands);
/* Answers all commands that a dead renderer had taken, with an error that carries their fences. */
void commands_answer_orphans(struct commands *commands);
/*
 * Forgets every object, what heads show and what was to be answered, since the guest is new. What
 * was parked is returned without an answer, as its ring has been reset.
 */
void commands_forget_guest(struct commands *commands);

/* Is called when virglrenderer says that all work up to this number is done. */
void commands_work_is_done(struct commands *commands, uint32_t sequence);
/* Returns true while an answer waits for the GPU. */
bool commands_wait_for_gpu(const struct commands *commands);
/* Returns when to call commands_release(): a time of CLOCK_MONOTONIC, or 0 when nothing is held. */
uint64_t commands_get_due_ns(const struct commands *commands);
/* Gives the answers that were held and are due. */
void commands_release(struct commands *commands);
/*
 * Is to be called when some commands have been worked: finds out who has waited for what they made
 * (render/quota/making.h).
 */
void commands_settle(struct commands *commands);
