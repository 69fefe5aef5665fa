/* SPDX-License-Identifier: MIT */
/* worker_stage: a worker of the keeper's with fake processes, for tests of what becomes of them. */
#pragma once

#include "server/keeper/worker.h"

#define PATIENCE_MS 20000
/* No test takes as long as this. */
#define LONG_MS 600000
/* We wait this long for what must not happen. It is longer than SPARE_DELAY_MS. */
#define A_WHILE_MS 500

struct stage {
	struct starter starter;
	struct worker worker;
	unsigned spare_ms; /* wanted after each crash; 0: never */
	unsigned n_ready, n_ended, n_failed;
	unsigned n_areas;    /* POINTER_AREA, of which a fake says one for each LISTENER */
	enum worker_end end; /* the last */
};

void stage_run_for(unsigned ms);

/* Serves the worker until the expression is true. */
#define WAIT_UNTIL(expression)                                                                     \
	G_STMT_START                                                                               \
	{                                                                                          \
		gint64 end_us = g_get_monotonic_time() + PATIENCE_MS * 1000;                       \
		while (!(expression)) {                                                            \
			if (g_get_monotonic_time() > end_us)                                       \
				g_error("never: %s", #expression);                                 \
			stage_run_for(5);                                                          \
		}                                                                                  \
	}                                                                                          \
	G_STMT_END

bool stage_is_alive(pid_t pid);
void stage_begin(struct stage *stage, unsigned spare_ms);
/*
 * Ends the process that works, and serves the worker until another one does. Returns the new one's
 * pid.
 */
pid_t stage_replace(struct stage *stage, int signal_number);
/* Serves the worker until there is a spare one, and gives its pid. */
pid_t stage_await_spare(struct stage *stage);
void stage_finish(struct stage *stage);
