/* SPDX-License-Identifier: MIT */
/* launch runs other programs. None of them is waited for: the helper hears the host at any time.
 */
#pragma once

#include <sys/types.h>

/* Runs the program, found by PATH, with its words. What it complains of goes where we complain. */
void launch_start(const char *const words[]);
/* Runs what `work` does in a process of its own, which ends with it. */
void launch_fork(void (*work)(const void *data), const void *data);
/*
 * Runs the program as this user, with one variable more in its environment (NULL: none), in this
 * process's place for its time. Gives its exit status, or -1.
 */
int launch_wait_as(uid_t uid, const char *variable, const char *value, const char *const words[]);
