/* SPDX-License-Identifier: MIT */
/* files: makes files for a test, each in a folder of its own. */
#pragma once

#include <stddef.h>

/* Writes a file and returns its path, to be passed to remove_file(). */
char *write_file(const char *name, const void *content, size_t length);
/* Removes the file and its folder, and frees the path. */
void remove_file(char *path);
