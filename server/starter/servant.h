/* SPDX-License-Identifier: MIT */
/*
 * A servant is a small process, forked from the keeper, that does what the confined keeper may not
 * do itself: the starter starts workers, the fetcher opens what has a path. It is told what to do
 * when it is made, and later by one byte at a time.
 *
 *   keeper ──fork, before the password is read──► servant
 *      │ ◄──────────── once: its walls ──────────────┤
 *      │  request: one byte, descriptors or none     │
 *      │ ◄─────── answer: some numbers, pidfd ───────┤
 *
 * It is forked and not executed, since so it has next to no memory of its own, needs no file, and
 * knows what it may be asked for without reading that from anybody. It ends when the keeper does,
 * whichever way, or hangs up. Nothing starts it again.
 *
 * Everything here is called on the keeper's main thread, which must be the one that made the
 * servant: its death signal is sent when that thread ends.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/confine/confine.h"

/* A request comes with as many descriptors, or with none. */
#define SERVANT_FDS 3

struct servant_answer {
	int32_t pid;   /* of the keeper's new child; -1: there is none, or none was asked for */
	int32_t error; /* errno; with a pid the child is dead already, and to be reaped */
	uint32_t details[2]; /* of the error, where the servant has any */
};

/* What a servant is in its own process. It is called in a fresh fork and never returns. */
typedef void (*servant_run)(int link, const void *plan, pid_t keeper);

struct servant {
	const char *name; /* "starter" */
	pid_t pid;        /* 0: it is reaped */
	int pidfd;        /* -1: none */
	int link;         /* -1: it can do nothing any more */
	bool heard;       /* it has told its walls, and these are they */
	struct confine_state walls;
	const char *loss; /* what its end means, for the log */
	unsigned end_source;
};

#define SERVANT_NONE ((struct servant){ .pidfd = -1, .link = -1 })

/*
 * Forks the servant. `plan` stays the caller's and must live as long. What the caller's memory has
 * in it the servant has in its own, for ever.
 */
bool servant_init(struct servant *servant, const char *name, servant_run run, const void *plan,
	GError **error);

/* Ends the servant; what it has started stays. */
void servant_finish(struct servant *servant);

/* From here on the end of the servant is told in the log when it happens, and what that means. */
void servant_watch(struct servant *servant, const char *loss);

/*
 * Waits until its walls are up. Returns false with `error` when they could not be put up, and with
 * CONFINE_MUST when the kernel lacks one.
 */
bool servant_hear_walls(struct servant *servant, enum confine_mode mode, GError **error);

/*
 * Asks, with SERVANT_FDS descriptors, which stay the caller's, or with NULL. *fd is what came along
 * with the answer, for the caller to close, or -1. Returns false when there is nobody any more, or
 * nobody who answers.
 */
bool servant_ask(struct servant *servant, uint8_t request, const int *fds,
	struct servant_answer *answer, int *fd);

/* Tells whether it may still be asked. */
bool servant_is_usable(const struct servant *servant);
