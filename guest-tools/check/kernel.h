/* SPDX-License-Identifier: MIT */
/* kernel: where the virtio_gpu driver stands, and its lines in the kernel log. */
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
	KERNEL_MODULE_TREE_GONE, /* no /lib/modules of the running kernel */
};

/* `where` names the file or place that blocks it, when something does. */
enum kernel_module kernel_module_state(const struct guest *guest, char *where, size_t size);

/* Takes the next record of an open, non-blocking /dev/kmsg. False: no more for now. */
bool kernel_log_next(int kmsg, char *line, size_t size, bool *error);
