/* SPDX-License-Identifier: MIT */
/*
 * run: `vitrine run`, one desktop in the foreground: the keeper, QEMU, and the wait for an end.
 * Whoever of the three ends first, the other two end too, and the run directory goes.
 */
#pragma once

/* argv[0] is "run". Returns the exit status. */
int run_main(int argc, char **argv);
