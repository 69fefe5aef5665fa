/* SPDX-License-Identifier: MIT */
/*
 * gpus_missing says what a GPU lacks that a package, a group or a kernel parameter would bring,
 * from what sysfs and the folders of libraries and firmware say. What cannot be read is not
 * guessed.
 */
#pragma once

#include "server/command/gpus.h"

/*
 * Each line names what is missing and how it comes on Debian. `root` stands before each path: ""
 * but in tests. The caller frees the list.
 */
char **gpus_find_missing(const struct gpu_info *gpu, const char *root);

/* The same of graphics cards that have no render node, so that no struct gpu_info is of them. */
char **gpus_find_idle_cards(const char *root);
