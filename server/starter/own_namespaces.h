/* SPDX-License-Identifier: MIT */
/*
 * own_namespaces are the starter's: what it and its workers see of files is read-only but for few
 * folders, what is the keeper's alone is hidden, nobody is in its network, and where root starts
 * the desktop it is another user. Its workers' namespaces are made from these, so that all of it
 * holds for them as well, and none of them can undo it.
 *
 * It belongs to a process with one thread. Nothing is allocated.
 */
#pragma once

#include <sched.h>
#include <stdbool.h>
#include <sys/types.h>

/* Of clone(2). Workers have the same ones. */
#define OWN_NAMESPACES (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC)

struct own_namespaces {
	bool has_users; /* it becomes first_user + n_users, and may make workers those before */
	uid_t first_user;
	unsigned n_users;
	char *const *hidden; /* files and folders in whose place there is nothing */
	unsigned n_hidden;
	char *const *writable; /* folders that stay so */
	unsigned n_writable;
};

/*
 * Enters them. Returns 0 or errno, and then the process is good for nothing but to say so.
 * *read_only_error is why files could not be made read-only where the rest holds, or 0.
 */
int own_namespaces_enter(const struct own_namespaces *wanted, int *read_only_error);

/* Writes a map of IDs in which each is itself, as uid_map(5) wants it. Returns 0 or errno. */
int own_namespaces_write(const char *path, const char *text);

/* A new network has 127.0.0.1 switched off. Returns 0 or errno. */
int own_namespaces_set_loopback_up(void);

/*
 * The C library has all threads change their user, and waits for those that it knows: it takes a
 * child for its parent, which has one more under ThreadSanitizer. So the kernel is asked without
 * it. Returns 0 or errno.
 */
int own_namespaces_become(uid_t user);
