/* SPDX-License-Identifier: MIT */
/* password reads the file that holds what clients must know. */
#pragma once

#include <glib.h>

/*
 * Gives the file's first line, which has 1 to DESKTOP_PASSWORD_MAX_BYTES. The caller overwrites and
 * frees it.
 */
char *password_read(const char *path, GError **error);
