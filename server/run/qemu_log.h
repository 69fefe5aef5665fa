/* SPDX-License-Identifier: MIT */
/* qemu_log is what QEMU complained of, told when it fails. */
#pragma once

/*
 * Prints the end of this file, without what Mesa says there at each start, and what can be done
 * about complaints that are known.
 */
void qemu_log_show(const char *path);
