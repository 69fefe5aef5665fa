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

/*
 * Starts `program` with --fd=3 and then `arguments` (NULL-terminated; may be NULL). Aborts the test
 * if it cannot start.
 */
struct backend *backend_start(const char *program, const char *const *arguments, char *directory);
/*
 * Makes a temporary directory, to be passed to backend_start(), which takes ownership of the
 * string.
 */
char *backend_directory_create(void);

/* Gives the one that was started last and is not destroyed, or NULL. */
struct backend *backend_newest(void);
/* Closes the socket to the program, as QEMU does when it ends. */
void backend_close_socket(struct backend *backend);
/* Returns true when the program has ended within the limit; wait_status is then set. */
bool backend_wait_exit(struct backend *backend, int timeout_ms);
/* Closes the socket, waits for the program's end, kills what is left and removes the directory. */
void backend_destroy(struct backend *backend);
/* Returns what the program has written to stderr so far. The caller frees it. */
char *backend_read_log(const struct backend *backend);
/* Counts the lines in the log that contain `text`. */
unsigned backend_count_log(const struct backend *backend, const char *text);

/*
 * Has each living backend's log written to stderr when the test aborts. Is called once, at the
 * start.
 */
void backend_dump_on_abort(void);

/*
 * Returns the backend's child process whose executable's base name is `executable`, or 0. Of
 * several it returns the oldest: a spare renderer is younger than the one that works.
 */
pid_t backend_find_child(const struct backend *backend, const char *executable);
/*
 * Waits until there is a child of that name other than `other_than` and returns it; 0 when the
 * limit passed.
 */
pid_t backend_wait_child(
	const struct backend *backend, const char *executable, pid_t other_than, int timeout_ms);
/* Returns the process ids of all children. The caller frees the array of pid_t. */
GArray *backend_list_children(const struct backend *backend);
/*
 * Makes a folder (backend_directory_create()) with links to the programs that VITRINE_RENDER and
 * VITRINE_DISPLAY name, for
 * --worker-dir. The caller removes and frees it.
 */
char *backend_make_worker_dir(void);
