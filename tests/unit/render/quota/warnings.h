/* SPDX-License-Identifier: MIT */
/*
 * warnings: counts the log's warnings for a test of quotas and keeps the last one. One thread uses
 * it.
 */
#pragma once

extern unsigned warnings_n;
extern char *warnings_last; /* NULL: none yet */

/* Prints nothing from now on. What is worse than a warning still ends the test. */
void warnings_begin(void);
void warnings_end(void);
