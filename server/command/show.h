/* SPDX-License-Identifier: MIT */
/*
 * show is `vitrine show [NAME] [--json]`: it lists the desktops that run here, and what their
 * guests say.
 */
#pragma once

/* argv[0] is "show". Gives the exit status, which is 1 when a named desktop does not run. */
int show_main(int argc, char **argv);
