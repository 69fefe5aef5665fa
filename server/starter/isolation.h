/* SPDX-License-Identifier: MIT */
/*
 * isolation is what a worker begins in: namespaces of its own, and where root starts the desktop a
 * user of its own, so that it can name, signal and trace neither its sibling nor the keeper. They
 * are made from the starter's own ones (own_namespaces.h), which it enters here.
 *
 * Whether the machine lets us is tried once, by a child that does all of it and ends. What it does
 * not let us is lacking, and the worker is told why by two variables of its environment
 * (confine_note_environment()). There is no PID namespace: a worker that is the first in one
 * survives its own abort(), and its end reads as another signal's.
 *
 * The namespaces belong to the keeper's user, who may therefore kill what is in them though it has
 * no capabilities any more and starter and workers are other users.
 *
 * It belongs to the starter's process, which has one thread.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "common/process.h"
#include "server/starter/starter.h"

#define ISOLATION_TEXT_MAX 64
/* The starter is one, too, behind its workers. */
#define ISOLATION_USERS (STARTER_USERS + 1)

struct isolation {
	const struct starter_plan *plan;
	int namespaces; /* flags of clone(2); 0: none */
	bool has_users; /* each worker is first_user + its number; else it is who we are */
	uid_t first_user;
	GPtrArray *writable; /* folders, of char *; what workers keep goes there */

	/* Why they are lacking, or what of the starter's own is; "" when nothing is. */
	char no_namespaces[CONFINE_REASON_MAX], no_users[CONFINE_REASON_MAX];
	char no_read_only[CONFINE_REASON_MAX];

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

/*
 * Finds out what can be had, and enters the starter's own namespaces. It may take some
 * milliseconds. Returns false when what was just tried fails, and then nothing can be started.
 */
bool isolation_init(struct isolation *isolation, const struct starter_plan *plan);

/* Workers have no namespaces of their own any more, for the reason `error`, which is errno. */
void isolation_give_up_namespaces(struct isolation *isolation, int error);

/* Has the child begin in it; `step` is to live until process_start() is back. */
void isolation_apply(const struct isolation *isolation, struct isolation_step *step,
	unsigned command, struct process_options *options);
