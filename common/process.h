/* SPDX-License-Identifier: MIT */
/*
 * process: starting a child so that it cannot outlive us, and ending it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* Most descriptors handed to a child by number. */
#define PROCESS_FDS_MAX 8

struct process_fd {
	int ours;   /* stays ours, stays open here */
	int theirs; /* its number in the child, 3 or more */
};

struct process_options {
	/* Sent to the child when this process dies; 0: none. */
	int death_signal;
	/* The child can gain no rights by executing a set-user-ID program. */
	bool no_new_privileges;
	/* Own process group: Ctrl-C on our terminal does not reach the child. */
	bool own_group;
	/* Standard input and output stay ours; otherwise /dev/null and our standard error. */
	bool keep_stdio;
	/* The child's standard error; 0 or less: ours. */
	int stderr_fd;
	struct process_fd fds[PROCESS_FDS_MAX];
	unsigned n_fds;
};

/*
 * Runs argv[0], a path. All descriptors but 0, 1, 2 and those named are closed in the child.
 * Returns the pid, or -1 with `error` set; a program that cannot be executed is found out here.
 */
pid_t process_spawn(char *const *argv, const struct process_options *options, GError **error);

/* Waits, without reaping, until the child has ended. Returns false when timeout_ms passed. */
bool process_wait_end(pid_t pid, int timeout_ms);

/* "exit status 1", "killed by signal 9 (Killed)" from a wait status. Caller frees. */
char *process_describe_end(int wait_status);
