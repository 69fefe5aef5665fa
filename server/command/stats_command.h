/* SPDX-License-Identifier: MIT */
/* stats_command is `vitrine stats` and `vitrine top`. */
#pragma once

/* argv[0] is "stats" or "top". Both return an exit status. */
int stats_main(int argc, char **argv);
int top_main(int argc, char **argv);
