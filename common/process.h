/* SPDX-License-Identifier: MIT */
/*
 * process starts a child so that it cannot outlive us, and waits for its end.
 *
 * Any thread may call it, but a death signal is sent when the thread that started the child ends
 * (prctl(2)).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* A child gets at most this many descriptors by number. */
#define PROCESS_FDS_MAX 8

struct process_fd {
	int ours;   /* it stays the caller's and stays open here */
	int theirs; /* its number in the child, 3 or more */
};

struct process_options {
	/*
	 * The child is not ours but our parent's, who hears of its end and reaps it. The death
	 * signal is then sent when our parent's thread ends that started us.
	 */
	bool sibling;
	/* The child gets this signal when the thread that started it ends; 0: it gets none. */
	int death_signal;
	/* The child renounces privileges before it executes the program. */
	bool no_new_privileges;
	/* The child has a process group of its own, so that Ctrl-C on our terminal does not reach
	 * it. */
	bool own_group;
	/* The child's standard input and output are ours; else they are /dev/null and its standard
	 * error. */
	bool keep_stdio;
	/* This descriptor becomes the child's standard error; with 0 or less it has ours. */
	int stderr_fd;
	struct process_fd fds[PROCESS_FDS_MAX];
	unsigned n_fds;
	char *const *environment; /* NULL: ours */
	/*
	 * The program, open; with 0 or less it is looked up as argv[0]. It is executed by way of
	 * /proc, where that is mounted, and the kernel calls the process by a number until it gives
	 * itself a name. Not for scripts.
	 */
	int program_fd;

	/* Namespaces that the child has of its own: CLONE_NEW... of clone(2). */
	int namespaces;
	/*
	 * `admit` is called here while the child waits, and `enter` then in the child before it
	 * gives up anything; each may be NULL. Both give 0 or errno, which ends the start. `enter`
	 * may make async-signal-safe calls only.
	 */
	int (*admit)(void *user, pid_t child);
	int (*enter)(void *user);
	void *user; /* of both */
};

/*
 * Runs argv[0], a path. In the child all descriptors are closed but 0, 1, 2 and those in `options`.
 * Returns the pid, or -1 with `error` set, also when the program cannot be executed.
 */
pid_t process_spawn(char *const *argv, const struct process_options *options, GError **error);

/*
 * Does the same without a word: returns 0 or errno, and touches no memory but the caller's. A
 * sibling that could not execute the program is *pid, too, and still to be reaped; without a child
 * *pid is -1.
 */
int process_start(char *const *argv, const struct process_options *options, pid_t *pid);

/* Tells whether an AppArmor profile holds us. It is async-signal-safe. */
bool process_is_in_profile(void);

/*
 * Sees to it that nothing that is executed gains rights by being a set-user-ID program. In an
 * AppArmor profile it does nothing: the profile says what may be executed and what that may, and
 * with no_new_privs the kernel would refuse the program its profile; it is for the program itself
 * to set that. Returns 0 or errno. It is async-signal-safe.
 */
int process_renounce_privileges(void);

/*
 * Changes from the AppArmor profile that holds us into another one that it names, for good. It is
 * for this thread and those that it will start. Returns 0, also where no profile holds us, or
 * errno.
 */
int process_enter_profile(const char *name);

/* Waits until the child has ended, and does not reap it. Returns false when timeout_ms passed
 * before. */
bool process_wait_end(pid_t pid, int timeout_ms);

/* The same of a process that a pidfd names; process_signal() sends it a signal. */
bool process_wait_end_of(int pidfd, int timeout_ms);
void process_signal(int pidfd, int signal_number);

/* Turns a wait status into "exit status 1" or "killed by signal 9 (Killed)". The caller frees it.
 */
char *process_describe_end(int wait_status);
