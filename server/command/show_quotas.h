/* SPDX-License-Identifier: MIT */
/*
 * show_quotas tells which quotas are in force in a desktop that runs (protocol/quotas.h).
 */
#pragma once

#include <glib.h>

#include "protocol/quotas.h"

/*
 * Reads them from the desktop's file of options. Without a file (NULL), or where the file has none,
 * they are the initial ones.
 */
void show_quotas_read(struct quota_limits *limits, GKeyFile *desktop);
/*
 * Prints those that are not the initial ones on one line, if there are such; with `all`, all of
 * them, each on its own.
 */
void show_quotas_print(const struct quota_limits *limits, bool all);
