/* SPDX-License-Identifier: MIT */
/*
 * backend: a vhost-user-gpu program under test, started as QEMU would start it.
 *
 * The program gets one end of a socket pair as `--fd=3`; its stderr goes to a file in a temporary
 * directory that lives as long as the backend. It dies with the test (PDEATHSIG).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

struct backend {
	char *name;      /* base name of the program, for messages */
	char *directory; /* temporary, 0700 */
	char *log_path;
	int log_fd;
	pid_t pid;
	int socket; /* our end; -1 after backend_close_socket */
	bool reaped;
	int wait_status; /* valid when reaped */
};

/* `arguments` (NULL-terminated, may be NULL) follow --fd=3. Aborts the test if it cannot start. */
struct backend *backend_start(const char *program, const char *const *arguments, char *directory);
/* Makes a temporary directory for backend_start, which takes ownership of the string. */
char *backend_directory_create(void);

/* Hangs up, as QEMU does when it ends. */
void backend_close_socket(struct backend *backend);
/* True when the program has ended; wait_status is then set. */
bool backend_wait_exit(struct backend *backend, int timeout_ms);
/* Hangs up, waits, kills what is left, removes the directory. */
void backend_destroy(struct backend *backend);
/* What it wrote to stderr so far. Caller frees. */
char *backend_read_log(const struct backend *backend);
/* Number of lines in the log that contain `text`. */
unsigned backend_count_log(const struct backend *backend, const char *text);

/* When the test aborts, each living backend's log goes to stderr. Call once. */
void backend_dump_on_abort(void);

/*
 * The child process of the backend whose executable's base name is `executable`, or 0. Of several
 * the oldest: a spare renderer is younger than the one that works.
 */
pid_t backend_find_child(const struct backend *backend, const char *executable);
/* User and system time of the backend and all its children so far, in ms (of 10). `except`: base
 * name of an executable that does not count, or NULL. */
double backend_read_cpu_ms(const struct backend *backend, const char *except);
/* Waits until there is such a child and it is not `other_than`; 0 when none came. */
pid_t backend_wait_child(
	const struct backend *backend, const char *executable, pid_t other_than, int timeout_ms);
/* All children. Caller frees the array of pid_t. */
GArray *backend_list_children(const struct backend *backend);
