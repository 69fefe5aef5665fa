/* SPDX-License-Identifier: MIT */
/*
 * isolation is what a worker begins in: namespaces of its own, and where root starts the desktop a
 * user of its own, so that it can name, signal and trace neither its sibling nor the keeper.
 *
 * Whether the machine lets us is tried once, by a child that does all of it and ends. What it does
 * not let us is lacking, and the worker is told why by two variables of its environment
 * (confine_note_environment()). There is no PID namespace: a worker that is the first in one
 * survives its own abort(), and its end reads as another signal's.
 *
 * A worker's namespaces belong to the keeper's user, who may therefore kill what is in them though
 * it has no capabilities any more and the worker is another user.
 *
 * It belongs to the starter's process, which has one thread.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "common/process.h"
#include "server/starter/starter.h"

#define ISOLATION_TEXT_MAX 64

struct isolation {
	const struct starter_plan *plan;
	int namespaces; /* flags of clone(2); 0: none */
	bool has_users; /* each worker is first_user + its number; else it is who we are */
	uid_t first_user;

	/* What is written to a worker's maps, made before it is born. */
	char user_map[STARTER_COMMANDS_MAX][ISOLATION_TEXT_MAX];
	char group_map[STARTER_COMMANDS_MAX][ISOLATION_TEXT_MAX];
	char **environments[STARTER_COMMANDS_MAX];
};

/* One start of a command, for process_start(). */
struct isolation_step {
	const struct isolation *isolation;
	unsigned command;
};

/* Finds out what can be had. It may take some milliseconds. */
void isolation_init(struct isolation *isolation, const struct starter_plan *plan);

/*
 * Root's starter goes into a network of its own, where nobody is: what it connects to has a path.
 * Where workers have none of their own it stays in everybody's, as an ordinary user's does, who
 * would need a user namespace for that.
 */
void isolation_leave_network(const struct isolation *isolation);

/* Nothing of it can be had any more, for the reason `error`, which is errno. */
void isolation_give_up(struct isolation *isolation, int error);

/* Has the child begin in it; `step` is to live until process_start() is back. */
void isolation_apply(const struct isolation *isolation, struct isolation_step *step,
	unsigned command, struct process_options *options);
