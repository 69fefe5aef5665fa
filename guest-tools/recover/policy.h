/* SPDX-License-Identifier: MIT */
/* policy is what is done for those who lost a context, from /etc/vitrine-guest-recover.conf. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum policy_deed {
	POLICY_NOTHING,
	POLICY_TELL,
	POLICY_ACT, /* a desktop is restarted, a program is ended */
};

#define POLICY_COMMAND_BYTES 256

struct policy {
	enum policy_deed desktop;      /* of a display server that has lost its contexts */
	enum policy_deed program;      /* of any other program */
	unsigned restarts, restarts_s; /* at most so many in so many seconds */
	bool lock;                     /* sessions when the host says that nobody is there */
	char lock_command[POLICY_COMMAND_BYTES];    /* instead of logind's; "": logind's */
	char restart_command[POLICY_COMMAND_BYTES]; /* instead of finding out what to restart; "":
						       find out */
};

#define POLICY_INITIAL                                                                             \
	((struct policy){ .desktop = POLICY_ACT,                                                   \
		.program = POLICY_TELL,                                                            \
		.restarts = 3,                                                                     \
		.restarts_s = 300,                                                                 \
		.lock = true })

/*
 * Reads a file of lines KEY=VALUE over what `policy` holds. A line that is not understood is left
 * out: the first such one is said in `wrong`. Gives false when the file is unreadable.
 */
bool policy_read(struct policy *policy, const char *path, char *wrong, size_t size);
/* Reads one line. Gives false when it is not understood. */
bool policy_read_line(struct policy *policy, const char *line);
