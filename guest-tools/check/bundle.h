/* SPDX-License-Identifier: MIT */
/*
 * bundle: one tar file with what a supporter asks for first.
 *
 * No secrets: only the files of a fixed list, never an environment; values after words such as
 * password, and the names of this machine, its user and its network, are replaced. The list of what
 * is inside is printed and is the archive's first member.
 */
#pragma once

#include <stdbool.h>

#include "guest-tools/check/report.h"

/* False after a message on stderr. */
bool bundle_write(
	const char *path, const struct check_results *results, const struct verdict *verdict);
