/* SPDX-License-Identifier: MIT */
/* run_options is the command line of `vitrine run`; see vitrine(1). */
#pragma once

#include "server/desktop/desktop.h"

/*
 * argv[0] is "run". Checks the desktop as a whole, that named files exist among it, but for its
 * disk. *qemu_arguments becomes what stands after "--", for g_strfreev(). Finish the desktop in any
 * case.
 */
bool run_options_parse(
	struct desktop *desktop, char ***qemu_arguments, int argc, char **argv, GError **error);
