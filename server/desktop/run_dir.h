/* SPDX-License-Identifier: MIT */
/*
 * run_dir is the directory of one running desktop: $XDG_RUNTIME_DIR/vitrine/NAME or, without that
 * variable, /tmp/vitrine-UID/NAME. Only its owner may look inside; a folder of that name that is
 * another's, open to others, a symbolic link, or where others can exchange it, is refused. It is
 * locked while the desktop runs, which makes names unique, and it is removed afterwards.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* On this socket the keeper gives its figures to readers (protocol/stats.h). */
#define STATS_SOCKET_FILE "stats"
/* On this one it gives tickets to who asks (protocol/ticket_request.h). */
#define TICKET_SOCKET_FILE "tickets"
/* On this one `vitrine run` is asked what the machine shall do (org.vitrine.Desktop1.xml). */
#define CONTROL_SOCKET_FILE "control"
#define CONTROL_OBJECT "/org/vitrine/Desktop1"
/* This is a QMP socket of QEMU's that none of ours uses. */
#define USER_QMP_FILE "qmp-user"
/* This file holds the process id of `vitrine run` in decimal, which vitrine stop sends signals. */
#define RUN_PID_FILE "run.pid"
/* What a detached `vitrine run` and its children print; vitrine attach shows it. */
#define RUN_LOG_FILE "run.log"
/* This file holds QEMU's process id in decimal; readers of figures look up its processor time. */
#define QEMU_PID_FILE "qemu.pid"

struct run_dir {
	char *path;
	int fd; /* the lock; -1: none */
};

/*
 * A name has 1 to DESKTOP_NAME_MAX_BYTES letters, digits, dots, dashes and underscores, and begins
 * with a letter or a digit.
 */
bool run_dir_name_ok(const char *name);

/*
 * Gives the directory of all run directories of this user, which need not exist. The caller frees
 * it.
 */
char *run_dir_base(void);
/* Tells whether a desktop runs in this run directory. */
bool run_dir_in_use(const char *path);

/* Gives the names of the desktops that run, sorted. Free them with g_strfreev(). */
char **run_dir_list(void);

/* The name must be one that run_dir_name_ok() accepts. What an earlier desktop left behind when it
 * was killed is removed. */
bool run_dir_create(struct run_dir *dir, const char *name, GError **error);
void run_dir_remove(struct run_dir *dir);

/* Writes the process id into this file of a directory that was created; a failure is logged. */
void run_dir_write_pid(const struct run_dir *dir, const char *file, int pid);
/* Gives a path inside a directory that was created. The caller frees it. */
char *run_dir_file(const struct run_dir *dir, const char *file);
