/* SPDX-License-Identifier: MIT */
/*
 * sessions finds the compositors of one user. Those that systemd does not start say nothing to it
 * when they are up, but each has a socket in the user's runtime folder.
 */
#pragma once

/* Runs `follow` in a process of its own for each display, for ever. Gives an exit status. */
int sessions_watch(int (*follow)(const char *display));
