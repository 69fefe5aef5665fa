/* SPDX-License-Identifier: MIT */
/*
 * tar writes a POSIX ustar archive of small regular files. All are owned by root and have mode
 * 0644.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* `name` must have fewer than 100 bytes. Gives false when the file could not be written. */
bool tar_add(FILE *file, const char *name, const char *data, size_t size_bytes);
/* Writes the two empty blocks that end an archive. */
bool tar_end(FILE *file);
