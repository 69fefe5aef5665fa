/* SPDX-License-Identifier: MIT */
/* desktop_command_line makes a struct desktop from a command line, and a command line from it. */
#pragma once

#include "server/desktop/desktop.h"

/*
 * Fills in `desktop` from what holds by default, from the file that --config names, and from the
 * command line, which wins. Each value is checked by itself; desktop_check() looks at them
 * together. With --help prints it and ends the process. Finish `desktop` in any case.
 */
bool desktop_parse(struct desktop *desktop, enum desktop_program program, int argc, char **argv,
	GError **error);

/* Adds one argument, for g_free(), for each option of the program that is not as by default. */
void desktop_add_arguments(
	const struct desktop *desktop, enum desktop_program program, GPtrArray *argv);
