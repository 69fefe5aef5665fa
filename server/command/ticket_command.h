/* SPDX-License-Identifier: MIT */
/* ticket_command is `vitrine ticket`. */
#pragma once

/* argv[0] is "ticket". Returns an exit status. */
int ticket_main(int argc, char **argv);
