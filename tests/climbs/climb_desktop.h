/* SPDX-License-Identifier: MIT */
/*
 * climb_desktop: a real desktop in whose processes code is planted: keeper, renderer and display as
 * they are shipped, with a fake front end in QEMU's place.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "tests/climbs/climb_site.h"
#include "tests/wire/guest.h"

/* A way to start it: what is left out. */
struct climb_variant {
	const char *name;
	const char *without; /* features for kernel-without, or NULL */
	const char *confine; /* for --confine */
	bool holds_all;      /* nothing may be up */
	unsigned alone;      /* the one of enum climb_wall that stands, beside rights; or 0 */
};

/* A thread of one of the processes: walls may hold one thread, and not another. */
struct climb_place {
	const char *name;
	enum climb_process process;
	const char *thread; /* NULL: the main thread */
};

enum climb_verdict {
	CLIMB_NOT_TRIED,
	CLIMB_UP,
	CLIMB_ITS_WORK, /* up, and must be (climb_find_duty()) */
	CLIMB_HELD,     /* by an error */
	CLIMB_DIED,     /* by the end of the process */
	CLIMB_HUNG,     /* no answer: a fault of the test */
};

struct climb_outcome {
	enum climb_verdict verdict;
	int error;
};

struct climb_desktop {
	struct climb_site *site;
	const struct climb_variant *variant;
	struct guest *guest;
	unsigned n_climbs;
	unsigned n_starts;
	pid_t pids[CLIMB_PROCESSES]; /* remembered; 0: not yet */
	bool spent;                  /* a climb with CLIMB_SPENDS was up */
};

/* Nothing is started yet. */
void climb_desktop_init(struct climb_desktop *desktop, struct climb_site *site,
	const struct climb_variant *variant);
void climb_desktop_finish(struct climb_desktop *desktop);

/* Starts a desktop where none runs, and waits until it works. Aborts the test when it does not. */
void climb_desktop_start(struct climb_desktop *desktop);
void climb_desktop_stop(struct climb_desktop *desktop);

/*
 * Starts a desktop that may refuse to, and waits until it has ended. Returns its exit status; -1
 * when it runs on, and then it is stopped. The caller frees the log.
 */
int climb_desktop_try(struct climb_desktop *desktop, char **log);

/* Returns the process, or 0 where there is none of the kind. */
pid_t climb_desktop_find(struct climb_desktop *desktop, enum climb_process process);
/* Makes one climb; whatever it leaves behind is replaced before the next one. */
struct climb_outcome climb_desktop_climb(struct climb_desktop *desktop,
	const struct climb_place *place, unsigned group, unsigned row);
/*
 * Counts the process's threads, and returns how many of them stand without a wall that the kernel
 * tells of: a filter, no new privileges, no capabilities. Each is named in a line of TAP.
 */
unsigned climb_desktop_check_threads(
	struct climb_desktop *desktop, enum climb_process process, unsigned *n_threads);
/* Returns what the programs have written so far; the caller frees it. */
char *climb_desktop_read_log(const struct climb_desktop *desktop);
