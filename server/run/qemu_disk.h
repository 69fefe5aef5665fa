/* SPDX-License-Identifier: MIT */
/*
 * qemu_disk tells QEMU of files that the machine reads and writes as disks. What a value contains
 * means nothing to QEMU there: each is a string of JSON, and each file of a disk has a node of its
 * own, with its driver, so that QEMU looks for nothing and opens nothing else.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "server/run/disk_chain.h"

/*
 * Adds arguments for the chain and a disk of the machine. With `snapshot` the guest's writes go to
 * a file that nobody sees, and are forgotten.
 */
void qemu_add_disk(GPtrArray *argv, const struct disk_chain *chain, bool snapshot);

/* Adds a disk that is only read, whose path is UTF-8. */
void qemu_add_seed(GPtrArray *argv, const char *path);

/* Adds a node of this name for a regular file of flash memory, whose path is UTF-8. */
void qemu_add_flash(GPtrArray *argv, const char *node, const char *path, bool read_only);
