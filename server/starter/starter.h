/* SPDX-License-Identifier: MIT */
/*
 * The starter is the servant (servant.h) that starts the keeper's workers, so that the keeper
 * itself may execute nothing.
 *
 *   keeper ──── which command, 3 descriptors ──────► starter
 *      │ ◄──────── answer: pid, errno, pidfd ──────────┤ clone(CLONE_PARENT), exec
 *      └──────────── is the parent of ──────► worker ◄─┘
 *
 * It knows what it was made with and nothing else: what a keeper that was taken over can ask of it
 * is another worker, and few of them. The worker is the keeper's child, whose end the keeper hears
 * of and who dies with it. A keeper whose starter has gone serves what runs, and ends when it needs
 * another worker.
 */
#pragma once

#include "server/starter/servant.h"

#define STARTER_COMMANDS_MAX 34
/* Workers are of at most this many users, where root starts them. */
#define STARTER_USERS 2

struct starter_command {
	char **argv;
	unsigned user; /* commands of one number are one user's, of another another's */
	bool loopback; /* its network, which is its own, has 127.0.0.1; else it has nothing */
};

/* All that the starter will ever do. */
struct starter_plan {
	struct starter_command commands[STARTER_COMMANDS_MAX];
	unsigned n_commands;
	const char *name; /* the desktop's, to choose users by */
	/* Workers begin in namespaces of their own, and as other users than root, as far as this
	 * machine lets us (isolation.h). */
	bool apart;
	/* Files and folders in whose place they see nothing. */
	char *const *hidden;
	unsigned n_hidden;
	/* Folders that they write to, unless they are other users than we and have their own
	 * (spare_users.h); and a GPU's node that is named. What is not there is made. */
	char *const *writable;
	unsigned n_writable;
	const char *gpu; /* NULL: those in /dev/dri */
};

struct starter {
	struct servant servant;
	const struct starter_plan *plan;
};

#define STARTER_NONE ((struct starter){ .servant = SERVANT_NONE })

/* Forks the starter, as servant_init() does. */
bool starter_init(struct starter *starter, const struct starter_plan *plan, GError **error);

/* Ends the starter; its workers stay. */
void starter_finish(struct starter *starter);

/* From here on the end of the starter is told in the log when it happens. */
void starter_watch(struct starter *starter);

/*
 * Runs a command with the descriptors, which stay the caller's: see enum starter_fd.
 * Returns the pid of a child of ours, with a pidfd of it for the caller to close; or -1 with
 * `error` set, also when the program cannot be executed.
 */
pid_t starter_spawn(struct starter *starter, unsigned command, const int fds[SERVANT_FDS],
	int *pidfd, GError **error);

/* What becomes of a program that the starter holds open. */
enum starter_program {
	STARTER_PROGRAM_NEW = 1, /* from now on it is what lies on disk now */
	STARTER_PROGRAM_OLD,     /* it is again what it was before NEW */
	STARTER_PROGRAM_KEPT,    /* what it was before NEW is forgotten */
};

enum starter_change {
	STARTER_CANNOT,  /* nothing was changed */
	STARTER_IS_SAME, /* the same: the file on disk is the one that is held */
	STARTER_CHANGED,
};

/*
 * For all commands with this one's program. After NEW that changed something comes one of the other
 * two. A program that keeps to other contracts than this build (protocol/contracts.h) is refused;
 * `error` then names what differs.
 */
enum starter_change starter_set_program(
	struct starter *starter, unsigned command, enum starter_program which, GError **error);

/* Tells whether another worker may still be had. */
bool starter_is_usable(const struct starter *starter);
