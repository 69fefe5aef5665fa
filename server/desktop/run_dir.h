/* SPDX-License-Identifier: MIT */
/*
 * run_dir: the directory of one running desktop, $XDG_RUNTIME_DIR/vitrine/NAME or, without that
 * variable, /tmp/vitrine-UID/NAME. Only its owner may look inside. It is locked while the desktop
 * runs, which makes names unique, and gone afterwards.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* The keeper's socket for readers of figures (protocol/stats.h). */
#define STATS_SOCKET_FILE "stats"
/* QEMU's process id in decimal, for the figures of its processor time. */
#define QEMU_PID_FILE "qemu.pid"

struct run_dir {
	char *path;
	int fd; /* the lock; -1: none */
};

/* Letters, digits, dot, dash, underscore; 1 to 64; the first a letter or digit. */
bool run_dir_name_ok(const char *name);

/* The directory of all run directories of this user; it need not exist. Caller frees. */
char *run_dir_base(void);
/* Does a desktop run in this run directory? */
bool run_dir_in_use(const char *path);

/* The names of the desktops that run, sorted. Free with g_strfreev(). */
char **run_dir_list(void);

/* The name must be one that run_dir_name_ok() accepts. What an earlier desktop left behind when it
 * was killed is removed. */
bool run_dir_create(struct run_dir *dir, const char *name, GError **error);
void run_dir_remove(struct run_dir *dir);

/* A path inside of one that was created. Caller frees. */
char *run_dir_file(const struct run_dir *dir, const char *file);
