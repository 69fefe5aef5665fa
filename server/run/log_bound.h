/* SPDX-License-Identifier: MIT */
/*
 * log_bound keeps the logs of a run directory from growing for ever: what run and its children
 * print, what QEMU does, and the guest's serial port, whose bytes are the guest's. The directory
 * lies in memory, as a rule. Who writes such a file has it open and knows nothing of this.
 *
 * What is old becomes a hole: the file's size stays, its blocks are free, and who reads it skips
 * the hole (lseek(2), SEEK_DATA). Where a file system makes no holes the file is begun anew with
 * its end, and what is written meanwhile may be lost.
 *
 * Threads: main.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A file that takes more than the first of them on its file system is cut to the second. */
#define LOG_BOUND_MAX_BYTES (4 * 1024 * 1024)
#define LOG_BOUND_KEPT_BYTES (1024 * 1024)
/* How often files are looked at. A guest's serial port brings some 100 KiB a second. */
#define LOG_BOUND_LOOK_S 5

#define LOG_BOUND_FILES 3

struct log_bound {
	char *paths[LOG_BOUND_FILES]; /* NULL: none */
	unsigned source;
};

/* Files need not be there yet. `names` are of a folder that nobody else may write to. */
void log_bound_begin(
	struct log_bound *logs, const char *folder, const char *const names[LOG_BOUND_FILES]);
void log_bound_finish(struct log_bound *logs);

/* Cuts one if it is too large, and gives whether it did. */
bool log_bound_cut(const char *path);
