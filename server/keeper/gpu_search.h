/* SPDX-License-Identifier: MIT */
/*
 * gpu_search decides which candidate the next renderer draws with.
 *
 * A driver may crash or hang the process that starts it, so each candidate's trial is a renderer's
 * own start: where it works, that renderer is the desktop's, and nothing was started for the trial
 * alone. One that does not come to READY is over, and the next one is started with the next
 * candidate; the last is the CPU. What has never worked is not tried again for its own sake while
 * the desktop lives.
 *
 * A candidate that has drawn before is tried GPU_SEARCH_TRIES times in a row, and has more time for
 * it: a GPU that is being reset answers nobody for seconds. The worker's pauses (worker.h) spread
 * the tries over 6 s. What ends a renderer that had started says nothing about the candidate
 * (blame.h). One that is given up after all is tried once more when the guest begins anew, since a
 * card may have come back, and nothing is lost by it then; but once in GPU_SEARCH_BACK_S at most.
 *
 * One that a person has named must work at the desktop's start; when it fails later the CPU draws.
 *
 * It only decides: the caller starts and logs. Everything happens on the main thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/keeper/gpu_candidates.h"

#define GPU_SEARCH_TRIES 9
#define GPU_SEARCH_BACK_S 60

enum gpu_search_step {
	GPU_SEARCH_AGAIN, /* the same candidate */
	GPU_SEARCH_NEXT,  /* what `current` is now */
	GPU_SEARCH_OVER,  /* nothing is left that may be tried */
};

#define GPU_SEARCH_TEXT_BYTES 256
#define GPU_SEARCH_WHY_BYTES 512

struct gpu_search {
	const struct gpu_candidates *candidates;
	unsigned current;
	unsigned n_failures;                 /* of the current one, in a row */
	bool has_worked;                     /* a candidate has drawn */
	bool is_proven;                      /* the current one has */
	bool has_hung;                       /* one before it */
	bool has_lost;                       /* one that had drawn was given up: */
	unsigned lost;                       /* the first such one */
	size_t lost_bytes;                   /* of `failures` before that */
	uint64_t back_ns;                    /* when it was tried again; 0: never */
	char chosen[GPU_SEARCH_TEXT_BYTES];  /* what the renderer says that it draws with */
	char failures[GPU_SEARCH_WHY_BYTES]; /* "NODE: why; NODE: why"; may be cut */
};

/* The candidates must live as long. */
void gpu_search_init(struct gpu_search *search, const struct gpu_candidates *candidates);

/* A renderer is READY, and has said what it draws with. */
void gpu_search_succeed(struct gpu_search *search, const char *chosen);

/*
 * A renderer has ended before READY, for the reason `why`. `hung`: it was killed since it took too
 * long, and is given up.
 */
enum gpu_search_step gpu_search_fail(struct gpu_search *search, const char *why, bool hung);

/* The guest begins anew. Returns true when a GPU that was given up is the current one again. */
bool gpu_search_go_back(struct gpu_search *search, uint64_t now_ns);

/*
 * Gives how many milliseconds a step of the current candidate's start may take; 0: as long as the
 * whole start. Who names a GPU waits for it at the desktop's start. Where one has hung the next
 * ones have less time, and one that has drawn has more.
 */
unsigned gpu_search_step_ms(const struct gpu_search *search);

/* Gives why what draws was chosen, for people; the caller frees it. */
char *gpu_search_describe(const struct gpu_search *search, const struct desktop *desktop);
