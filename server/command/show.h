/* SPDX-License-Identifier: MIT */
/* show: `vitrine show [NAME] [--json]`: the desktops that run here, and what their guests say. */
#pragma once

/* argv[0] is "show". Gives the exit status: 1 when a named desktop does not run. */
int show_main(int argc, char **argv);
