/* SPDX-License-Identifier: MIT */
/* password reads what clients must know, from where only this user has it. */
#pragma once

#include <glib.h>

/*
 * Gives the first line of what the descriptor reads as, which has 1 to DESKTOP_PASSWORD_MAX_BYTES.
 * It may wait: a pipe's writer comes when he likes. `what` stands in the error. The descriptor
 * stays the caller's, who overwrites and frees the line.
 */
char *password_read_fd(int fd, const char *what, GError **error);

/* Does the same with a file: a plain one, a FIFO, or /dev/stdin and its like. The error names the
 * option that named it. */
char *password_read(const char *path, const char *option, GError **error);
