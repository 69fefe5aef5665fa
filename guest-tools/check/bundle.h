/* SPDX-License-Identifier: MIT */
/*
 * bundle writes one tar file with what a supporter asks for first.
 *
 * It carries no secrets. Only the files of a fixed list go in, and never an environment. Values
 * after words such as password are replaced, and so are the names of this machine, of its user and
 * of its network. The list of members is printed and is the archive's first member, so that its
 * owner can judge it before sending it.
 */
#pragma once

#include <stdbool.h>

#include "guest-tools/check/report.h"

/* Gives false after it has written a message to stderr. */
bool bundle_write(
	const char *path, const struct check_results *results, const struct verdict *verdict);
