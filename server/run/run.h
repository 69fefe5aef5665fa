/* SPDX-License-Identifier: MIT */
/*
 * run is `vitrine run`: one desktop in the foreground, which is the keeper, QEMU, and this process.
 * When one of the three ends, the other two end too, and the run directory is removed.
 */
#pragma once

/* argv[0] is "run". Returns the exit status. */
int run_main(int argc, char **argv);
