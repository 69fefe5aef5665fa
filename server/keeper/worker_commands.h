/* SPDX-License-Identifier: MIT */
/*
 * worker_commands are the command lines that the starter knows (server/starter/starter.h): two
 * programs, one of them told two things.
 */
#pragma once

#include "server/desktop/desktop.h"

enum worker_command {
	WORKER_COMMAND_RENDER,
	/* A GPU that goes away after the first start must not take the desktop along. */
	WORKER_COMMAND_RENDER_FALL_BACK,
	WORKER_COMMAND_DISPLAY,
	WORKER_COMMANDS,
};

/* Gives them by enum worker_command, with NULL behind the last, for starter_init(). */
char ***worker_commands_make(const struct desktop *desktop);
