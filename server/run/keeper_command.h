/* SPDX-License-Identifier: MIT */
/*
 * keeper_command is what `vitrine run` starts vitrine-gpu with: its command line, and the numbers
 * of the descriptors that it inherits.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "server/desktop/desktop.h"
#include "server/desktop/run_dir.h"

#define KEEPER_VHOST_FD 3
#define KEEPER_SPICE_FD 4
#define KEEPER_PASSWORD_FD 5
#define KEEPER_LOST_FD 6

/* Free it with g_strfreev(). `has_spice` says that there is a socket as KEEPER_SPICE_FD. */
char **keeper_command(const struct desktop *desktop, const struct run_dir *dir, bool has_spice);
/*
 * Gives the end of a pipe which holds the password, and after that nothing to be read; -1 where
 * there is none, or no pipe (`error`). Here the password is forgotten.
 */
int keeper_pipe_password(struct desktop *desktop, GError **error);
