/* SPDX-License-Identifier: MIT */
/*
 * disk_file is one file of a disk while it is looked at: an image, one of its layers, or the file
 * that its data lie in. It is only read.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct disk_file {
	char *path;      /* as it was named */
	char *real_path; /* absolute, through no symbolic link, UTF-8: this is given to QEMU */
	int fd;
	bool is_device; /* a block device, else a regular file */
	uint64_t size_bytes;
	dev_t device;
	ino_t inode;
};

/*
 * Opens a regular file or a block device, and nothing else: a FIFO would wait for who writes to it,
 * and opening some devices does something. Finish it in any case.
 */
bool disk_file_open(struct disk_file *file, const char *path, GError **error);
void disk_file_finish(struct disk_file *file);

bool disk_file_is_same(const struct disk_file *one, const struct disk_file *other);

/* Gives how many bytes there are at this place, `size` at most; what cannot be read is not there.
 */
size_t disk_file_read(const struct disk_file *file, uint64_t offset, void *bytes, size_t size);
/*
 * Gives that many bytes of text with a NUL behind them, or fewer where the file ends. The caller
 * frees it.
 */
char *disk_file_read_text(const struct disk_file *file, uint64_t offset, size_t size);
