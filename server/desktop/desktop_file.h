/* SPDX-License-Identifier: MIT */
/*
 * desktop_file is a desktop as a key file: the configuration file of `vitrine run`, and the file in
 * the run directory that says what is in force. Groups are the sections of the options, keys their
 * names.
 */
#pragma once

#include "server/desktop/desktop.h"

/* The file in the run directory has this name. */
#define DESKTOP_FILE "desktop.conf"

/*
 * Takes the values of the options of `vitrine run` that are not `given`, an array as long as the
 * table. Errors name the file, the group, the key and what is allowed.
 */
bool desktop_file_load(
	struct desktop *desktop, const char *path, const bool *given, GError **error);

/*
 * Gives all options of `vitrine run` that are set, with absolute paths. Free it with
 * g_key_file_free().
 */
GKeyFile *desktop_file_make(const struct desktop *desktop);
