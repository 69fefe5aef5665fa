/* SPDX-License-Identifier: MIT */
/* watch writes each second what the GPU does, and GPU errors of the kernel log as they happen. */
#pragma once

/* Runs until a signal comes, or for `seconds` when that is positive. Gives the exit status. */
int watch_run(int seconds);
