/* SPDX-License-Identifier: MIT */
/*
 * image_names is what an image's header says of other files: the one that it lies on, and those in
 * which its data lie. All of it is what a stranger wrote.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "server/run/disk_file.h"
#include "server/run/image_format.h"

struct image_names {
	char *backing;        /* NULL: it lies on none */
	char *backing_format; /* NULL: not said */
	char *data;           /* a qcow2 image's external data file; NULL: it has none */
	GPtrArray *pieces;    /* of a VMDK; QEMU opens each by this name */
};

/* Gives false with `error` set for a header that makes no sense. Finish it in any case. */
bool image_names_read(struct image_names *names, const struct disk_file *file,
	const struct image_format *format, GError **error);
void image_names_finish(struct image_names *names);

bool image_names_are_none(const struct image_names *names);
