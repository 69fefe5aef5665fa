/* SPDX-License-Identifier: MIT */
/* watch: a line each second of what the GPU does, and GPU errors of the kernel log as they happen.
 */
#pragma once

/* Runs until a signal, or for `seconds` when that is positive. Gives the exit status. */
int watch_run(int seconds);
