/* SPDX-License-Identifier: MIT */
/*
 * hidden_paths are the files of a desktop that are the keeper's alone: the password, the TLS key,
 * QEMU's monitor and other sockets. Where one lies in a folder that nobody else of this machine may
 * open, such as a run directory, the whole folder is hidden, with what comes into it later.
 */
#pragma once

#include "server/desktop/desktop.h"

/*
 * Gives paths that workers are not to see, with NULL behind the last; g_strfreev() frees them.
 * `needed` are paths that they must see, with NULL behind the last.
 */
char **hidden_paths_find(const struct desktop *desktop, const char *const *needed);
