/* SPDX-License-Identifier: MIT */
/* kernel says where the virtio_gpu driver stands, and reads its lines of the kernel log. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "guest-tools/check/guest.h"

enum kernel_module {
	KERNEL_MODULE_LOADED,
	KERNEL_MODULE_BUILT_IN,
	KERNEL_MODULE_IDLE,
	KERNEL_MODULE_BLOCKED,
	KERNEL_MODULE_NOMODESET,
	KERNEL_MODULE_MISSING,
	KERNEL_MODULE_TREE_GONE, /* The running kernel has no folder in /lib/modules. */
};

/* Where the driver is blocked, `where` names the file or the place that does it. */
enum kernel_module kernel_module_state(const struct guest *guest, char *where, size_t size);

/*
 * Takes the next record of /dev/kmsg, which is open and does not block. Gives false when there is
 * none for now.
 */
bool kernel_log_next(int kmsg, char *line, size_t size, bool *error);
