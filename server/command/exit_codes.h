/* SPDX-License-Identifier: MIT */
/* exit_codes are the statuses by which programs tell how a command of vitrine ended; vitrine(1)
 * lists them. */
#pragma once

enum exit_code {
	EXIT_CODE_DONE = 0,
	EXIT_CODE_FAILED = 1,
	EXIT_CODE_USAGE = 2,
	EXIT_CODE_NO_DESKTOP = 3,   /* none of that name runs */
	EXIT_CODE_WRONG_STATE = 4,  /* a machine that is paused cannot be paused */
	EXIT_CODE_NOT_ANSWERED = 5, /* the desktop, or its QEMU, does not answer */
};
