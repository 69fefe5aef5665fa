/* SPDX-License-Identifier: MIT */
/*
 * password: the file that holds what clients must know.
 */
#pragma once

#include <glib.h>

/* The file's first line: 1 to DESKTOP_PASSWORD_MAX_BYTES. Overwrite it when done; caller frees. */
char *password_read(const char *path, GError **error);
