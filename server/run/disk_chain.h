/* SPDX-License-Identifier: MIT */
/*
 * disk_chain finds out which files a disk consists of, and says for each what it is, so that QEMU
 * need not look and guess. An image that somebody was given may name any file of the host: one that
 * does not lie where such files may is refused by name, before QEMU sees it.
 *
 * Headers are read here, before QEMU is asked anything, because asking QEMU is opening already:
 * qemu-img info opens the data file that a header names, and that name may be a json: description
 * of any file, device or address, to be written, too (CVE-2024-4467); it opens the pieces of a
 * VMDK as well.
 *
 * Names in images are read as QEMU reads them, but for an external data file's: if that is
 * relative, it is so to the image's folder and not to where `vitrine run` was started.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "server/run/image_format.h"

/* One image of a disk. Paths are absolute, lead through no symbolic link, and are UTF-8. */
struct disk_layer {
	char *path;
	bool is_device;
	const struct image_format *format;
	char *data_path; /* of an external data file; NULL: it has none */
	bool data_is_device;
};

struct disk_chain {
	GPtrArray *layers; /* struct disk_layer *; the first is the disk, each lies on the next */
	char *pool;        /* the folder that the user named for the other files; NULL: none */
};

/*
 * `format` is what the user said of the first, or NULL. `where` is where the other files may lie:
 * "any"; or a folder, in which and below; or "folder". In the disk's own folder itself they may lie
 * in any case if they are only read. Finish the chain in any case.
 */
bool disk_chain_find(struct disk_chain *chain, const char *disk, const char *format,
	const char *where, GError **error);
void disk_chain_finish(struct disk_chain *chain);

const struct disk_layer *disk_chain_layer(const struct disk_chain *chain, unsigned index);
