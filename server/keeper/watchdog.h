/* SPDX-License-Identifier: MIT */
/*
 * watchdog judges from a worker's heartbeat whether the worker still gets on.
 *
 * A worker is stuck when a loop of it has been at one thing for longer than that loop's limit, or
 * when its process has been stopped (SIGSTOP) for longer than the limit for that. Both are seen by
 * looking now and then, without waking the worker: the beat says since when a loop works, so a look
 * in time before its limit is enough, and a stopped process is known to its parent. A look costs
 * the keeper one wake-up every WATCHDOG_PERIOD_MS, for both workers together, and some
 * microseconds.
 *
 * It only counts and compares: the caller reads the heartbeat, tells the time and kills. A worker
 * may write anything into its heartbeat; it can deceive the watchdog, and gains nothing by it that
 * it would not have by serving nobody.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/keeper/heartbeat_memory.h"

struct watchdog_limits {
	uint64_t stopped_ns;                /* of a process that is stopped */
	uint64_t starting_ns;               /* of a loop that makes what it needs */
	uint64_t loops_ns[HEARTBEAT_LOOPS]; /* of a loop that works; 0: it is not judged */
};

struct watchdog {
	struct watchdog_limits limits;
	uint64_t last_look_ns;
	/* Work is counted from here at the earliest. */
	uint64_t from_ns;
	uint64_t stopped_since_ns; /* 0: it runs */
	uint64_t reset_sent_ns;    /* the last one; 0: never */
	uint64_t resets_sent;      /* to this process */
	uint64_t driver_until_ns;  /* a driver waits for its first answers; 0: none does */
};

enum watchdog_fault {
	WATCHDOG_NONE,
	WATCHDOG_STUCK,   /* `loop` has been at what `said` tells for `for_ns` */
	WATCHDOG_STOPPED, /* the process has been stopped for about `for_ns` */
};

struct watchdog_verdict {
	enum watchdog_fault fault;
	enum heartbeat_loop loop;
	struct heartbeat_said said;
	uint64_t for_ns;
	uint64_t look_again_ns; /* from now; without a fault */
};

/* Begins to judge a process, which has just become ready. */
void watchdog_begin(struct watchdog *watchdog, uint64_t now_ns);
/*
 * Notes that a RESET was sent. What was begun before now, and what is worked at until the worker
 * says that the RESET is done, is of no use to anybody: it has WATCHDOG_HURRY_MS from now. The
 * caller looks again after that.
 */
void watchdog_reset_sent(struct watchdog *watchdog, uint64_t now_ns);
/*
 * Notes that a driver of the guest has begun. For WATCHDOG_DRIVER_MS from now a stopped process is
 * one that keeps it waiting. The caller looks again soon.
 */
void watchdog_driver_started(struct watchdog *watchdog, uint64_t now_ns);
/*
 * Tells whether a RESET that was sent is not done: then the ledger may list objects of the guest of
 * before.
 */
bool watchdog_has_reset_left(
	const struct watchdog *watchdog, const struct heartbeat_memory *heartbeat);
/* Tells whether what is worked at is of the guest before the last RESET. */
bool watchdog_is_unwanted(const struct watchdog *watchdog, const struct heartbeat_memory *heartbeat,
	const struct heartbeat_said *said);
struct watchdog_verdict watchdog_look(struct watchdog *watchdog,
	const struct heartbeat_memory *heartbeat, bool stopped, uint64_t now_ns);
