/* SPDX-License-Identifier: MIT */
/*
 * image_format knows the kinds of disk images: QEMU's, by what a file of each begins or ends with,
 * and archives that people take for one. QEMU must not guess, because a guest can write a header of
 * its choice into its raw disk, and because what is no raw disk is destroyed as one.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "server/run/disk_file.h"

struct image_format {
	const char *name;           /* QEMU's name of the driver; NULL: QEMU has none */
	const char *words;          /* "a VMDK image" */
	const char *const *endings; /* what names of such files end in */
	bool layered;               /* an image can lie on another one */
	bool read_only;             /* QEMU writes none */
};

/* Gives NULL for what is no format. */
const struct image_format *image_format_find(const char *name);
/* Gives the names of all formats with commas between them. The caller frees it. */
char *image_format_list(void);

/* Gives what the file looks like, or NULL where it could only be raw. */
const struct image_format *image_format_see(const struct disk_file *file);

/*
 * Gives the format of a file of which nobody said it, or NULL with `error` set: it looks like an
 * image, and its name does not say that it is one, or the other way round. `hint` tells where the
 * format can be said. A qcow2 image may have any name; image_format_is_said() tells whether its
 * name says so.
 */
const struct image_format *image_format_guess(
	const struct disk_file *file, const char *hint, GError **error);
bool image_format_is_said(const struct image_format *format, const char *path);
