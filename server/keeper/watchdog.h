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
 * Only counts and compares: the caller reads the heartbeat, tells the time and kills. A worker may
 * write anything into its heartbeat; it can deceive the watchdog, and gains nothing by it that it
 * would not have by serving nobody.
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
	uint64_t hurry_ns;         /* of watchdog_hurry(); 0: never */
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

/* A process begins. */
void watchdog_begin(struct watchdog *watchdog, uint64_t now_ns);
/*
 * What was begun before now is of no use to anybody: it has WATCHDOG_HURRY_MS left. Look again
 * after that.
 */
void watchdog_hurry(struct watchdog *watchdog, uint64_t now_ns);
struct watchdog_verdict watchdog_look(struct watchdog *watchdog,
	const struct heartbeat_memory *heartbeat, bool stopped, uint64_t now_ns);
