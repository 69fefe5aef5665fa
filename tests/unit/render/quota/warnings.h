/* SPDX-License-Identifier: MIT */
/* warnings: the log of a test of quotas: it is counted, and its last warning kept. One thread. */
#pragma once

extern unsigned warnings_n;
extern char *warnings_last; /* NULL: none yet */

/* From now on nothing is printed. What is worse than a warning still ends the test. */
void warnings_begin(void);
void warnings_end(void);
