/* SPDX-License-Identifier: MIT */
/*
 * viewer_program runs a stock viewer. remote-viewer(1) reads its connection file from its standard
 * input where the file's name is "-"; one that has been started so waits there, with its libraries
 * loaded and without a window. So another one can be kept ready, and what it is told then is on no
 * disk. Any other viewer gets the path of a file, and cannot wait.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct viewer_program {
	char *path;       /* of the program */
	char **arguments; /* its own, before the file's; NULL: none */
	char *file_path;  /* of the connection file, for one that cannot wait */
	bool can_wait;
	GPid pid; /* the one that shows something; 0: none */
	unsigned end_source;
	GPid spare_pid; /* the one that waits; 0: none */
	unsigned spare_source;
	int spare_fd; /* its standard input; -1: none */
	void (*ended)(void *user, int wait_status);
	void *user;
};

/* `name` is looked for in PATH. The caller sets `file_path`, which it gives away, `arguments`,
 * which stay its own, `ended` and `user`. */
bool viewer_program_init(struct viewer_program *program, const char *name, GError **error);
/* Ends the viewers. */
void viewer_program_finish(struct viewer_program *program);
/* Starts one with this connection file, a secret; `ended` is called when that ends. */
bool viewer_program_show(struct viewer_program *program, const char *text, GError **error);
/* Has another one wait, where one can. */
void viewer_program_prepare(struct viewer_program *program);
