/* SPDX-License-Identifier: MIT */
/* tar: writes a POSIX ustar archive of small regular files, all owned by root, mode 0644. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* `name` has fewer than 100 bytes. False when the file could not be written. */
bool tar_add(FILE *file, const char *name, const char *data, size_t size_bytes);
/* The two empty blocks at the end. */
bool tar_end(FILE *file);
