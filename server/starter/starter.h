/* SPDX-License-Identifier: MIT */
/*
 * The starter is a small process that starts the keeper's workers, so that the keeper itself may
 * execute nothing.
 *
 *   keeper ──fork, before the password is read──► starter
 *      │  request: which command, 2 descriptors      │ clone(CLONE_PARENT), exec
 *      │ ◄──────── answer: pid, errno, pidfd ────────┤
 *      └──────────── is the parent of ──────► worker ┘
 *
 * It knows what it was made with and nothing else: what a keeper that was taken over can ask of it
 * is another worker, and few of them, a connection to QEMU's monitor and the desktop's own secrets,
 * which it had anyway. It is forked and not executed, since so it has next to no memory of its own,
 * needs no file, and knows its commands without reading them from anybody. The worker is the
 * keeper's child, whose end the keeper hears of and who dies with it.
 *
 * It ends when the keeper does, whichever way, or hangs up. Nothing starts it again: a keeper whose
 * starter has gone serves what runs, and ends when it needs another worker.
 *
 * Everything here is called on the keeper's main thread, which must be the one that made the
 * starter: a worker's death signal is sent when that thread ends.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#define STARTER_COMMANDS_MAX 3
/* Files that are read again: two passwords, certificate, key. */
#define STARTER_FILES_MAX 4
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
	/* The unix socket that starter_connect() connects to; NULL: none. */
	const char *monitor;
	/* Files that starter_copy_file() copies; NULL: none. */
	const char *files[STARTER_FILES_MAX];
	size_t file_max_bytes;
	/* Files and folders in whose place they see nothing. */
	char *const *hidden;
	unsigned n_hidden;
};

struct starter {
	pid_t pid; /* 0: it is reaped */
	int pidfd; /* -1: none */
	int link;  /* -1: it can start nothing any more */
	const struct starter_plan *plan;
	unsigned end_source;
};

#define STARTER_NONE ((struct starter){ .pidfd = -1, .link = -1 })

/*
 * Forks the starter. `plan` stays the caller's and must live as long. What the caller's memory has
 * in it the starter has in its own, for ever.
 */
bool starter_init(struct starter *starter, const struct starter_plan *plan, GError **error);

/* Ends the starter; its workers stay. */
void starter_finish(struct starter *starter);

/* From here on the end of the starter is told in the log when it happens. */
void starter_watch(struct starter *starter);

/*
 * Runs a command with the descriptors as KEEPER_LINK_FD and HEARTBEAT_FD, which stay the caller's.
 * Returns the pid of a child of ours, with a pidfd of it for the caller to close; or -1 with
 * `error` set, also when the program cannot be executed.
 */
pid_t starter_spawn(struct starter *starter, unsigned command, int link_fd, int heartbeat_fd,
	int *pidfd, GError **error);

/*
 * Connects to the plan's monitor, since the keeper itself may connect to nothing. Returns a
 * non-blocking socket, or -1 when nobody listens, or not yet.
 */
int starter_connect(struct starter *starter);

/*
 * Copies one of the plan's files, as it is now, since the keeper itself may open none. Returns
 * memory that nobody can change (common/shm.h), or -errno. The bytes do not pass through the
 * starter's memory.
 */
int starter_copy_file(struct starter *starter, unsigned file);

/* Tells whether another worker may still be had. */
bool starter_is_usable(const struct starter *starter);
