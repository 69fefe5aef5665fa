/* SPDX-License-Identifier: MIT */
/*
 * worker_plan is what the starter knows (server/starter/starter.h): two programs, each of them told
 * of one GPU or of none, whose users they are, and what of the desktop they are not to see.
 */
#pragma once

#include "server/desktop/desktop.h"
#include "server/keeper/gpu_candidates.h"
#include "server/starter/starter.h"

/* The starter's commands for a candidate of gpu_candidates. */
#define WORKER_COMMAND_RENDER(candidate) (2 * (candidate))
#define WORKER_COMMAND_DISPLAY(candidate) (2 * (candidate) + 1)

/* The desktop must live as long as the plan. It takes Mesa's variable for its cache from the
 * environment. */
void worker_plan_init(struct starter_plan *plan, const struct desktop *desktop,
	const struct gpu_candidates *candidates);
void worker_plan_finish(struct starter_plan *plan);
