/* SPDX-License-Identifier: MIT */
/*
 * image decides what kind of disk image a file is, and QEMU is told. QEMU must not guess, because a
 * guest can write a qcow2 header with a backing file of its choice into its raw disk.
 */
#pragma once

#include <glib.h>

/*
 * `format` is what the user said, or NULL. Returns "raw" or another of QEMU's format names (static
 * or `format` itself), or NULL with `error` set: the file is missing, unreadable, or looks like an
 * image that only an explicit format may open.
 */
const char *image_format(const char *path, const char *format, GError **error);
