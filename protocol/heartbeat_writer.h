/* SPDX-License-Identifier: MIT */
/*
 * heartbeat_writer is how a worker's loops say what they do (heartbeat.h).
 *
 * There is one page for the process. Until it is attached, and where the keeper gave none, beats go
 * to a place that nobody reads; so there is nothing to check before a call. A call costs some 50
 * nanoseconds at most, most of it for the time.
 *
 * heartbeat_attach() is called before other threads start. Each beat is written by the thread that
 * runs its loop.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol/heartbeat.h"

/*
 * Takes the page behind the inherited descriptor HEARTBEAT_FD and closes that. Where it is no
 * heartbeat page it is left alone, because this process was not started by a keeper: gives false.
 */
bool heartbeat_attach(void);

/* Says that the loop is about to sleep. */
void heartbeat_idle(enum heartbeat_loop loop);
/*
 * Says that the loop makes what it needs before it can serve anybody. `what` is as for
 * heartbeat_work().
 */
void heartbeat_start(enum heartbeat_loop loop, const char *what);
/*
 * Says that the loop begins something. `what` names it, and is cut to HEARTBEAT_TEXT_BYTES with its
 * NUL. `context` is that of the guest whose work it is, or 0. It gives the time, of
 * CLOCK_MONOTONIC.
 */
uint64_t heartbeat_work(enum heartbeat_loop loop, const char *what, uint32_t context);

/*
 * Says that what was begun is done, and that what the loop does until the next call is nobody's
 * work: no context is blamed for it. The text and the time stay, since this comes after each of
 * many small things.
 */
void heartbeat_done(enum heartbeat_loop loop);

/* Says that the context which HEARTBEAT_GPU names as guilty is no more, and what it was called. */
void heartbeat_name_gone(const char *name);

/* Says that the gpu thread has done `n` RESETs more: nothing of the guest of before is left. */
void heartbeat_count_resets(unsigned n);

/* Says that all that the ledger listed is made again, and in the ledger. */
void heartbeat_note_rebuilt(void);

/* Says that render waits without work, with so much memory of its own. */
void heartbeat_say_own_kib(uint64_t own_kib);

/*
 * Says that a thread goes into the code of this encoder (below HEARTBEAT_ENCODERS), and that it has
 * come out. `trial`: nothing else is at work meanwhile that could crash, but what an earlier trial
 * was given up for, which counts no more. A trial may be ended twice. Any thread may call them.
 */
void heartbeat_encoder_begin(unsigned encoder, bool trial);
void heartbeat_encoder_end(unsigned encoder, bool trial);
/* Says that this one runs on a GPU, before it is at work. */
void heartbeat_encoder_on_gpu(unsigned encoder);
/* Returns whether processes before this one have crashed in this encoder: it is to be left alone.
 */
bool heartbeat_encoder_is_refused(unsigned encoder);

/*
 * Makes a GLib loop beat by itself from now on: idle while it polls, working between. It is called
 * on the thread that runs the loop, which runs no other one. NULL is the default context.
 */
void heartbeat_follow(GMainContext *context, enum heartbeat_loop loop);
