/* SPDX-License-Identifier: MIT */
/*
 * sway takes commands of its own. Its older versions take a mode that is in no list by these only:
 * sway 1.7 looks for it in the list when it comes by wlr-output-management.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Finds the socket of the sway at the other end of this Wayland connection. */
bool sway_find_socket(int wayland, char *path, size_t size);
/* Runs commands with ";" between them, and waits for the answer. False: they are not understood. */
bool sway_run(const char *path, const char *commands);
