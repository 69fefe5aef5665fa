/* SPDX-License-Identifier: MIT */
/* log file: reads what a program has logged so far. */
#pragma once

#include <stdbool.h>

/* Waits until there is this text. */
bool log_file_wait(const char *path, const char *text, int timeout_ms);
unsigned log_file_count_lines(const char *path);
/* Prints all of it to standard error, under this title. */
void log_file_print(const char *path, const char *title);
