/* SPDX-License-Identifier: MIT */
/*
 * worker_plan is what the starter knows (server/starter/starter.h): two programs, one of them told
 * two things, whose users they are, and what of the desktop they are not to see.
 */
#pragma once

#include "server/desktop/desktop.h"
#include "server/starter/starter.h"

enum worker_command {
	WORKER_COMMAND_RENDER,
	/* A GPU that goes away after the first start must not take the desktop along. */
	WORKER_COMMAND_RENDER_FALL_BACK,
	WORKER_COMMAND_DISPLAY,
	WORKER_COMMANDS,
};

/* The desktop must live as long as the plan. */
void worker_plan_init(struct starter_plan *plan, const struct desktop *desktop);
void worker_plan_finish(struct starter_plan *plan);
