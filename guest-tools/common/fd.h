/* SPDX-License-Identifier: MIT */
/* fd: what the guest tools do with file descriptors of devices in more than one place. */
#pragma once

/* Closes the descriptor. Negative ones, which a failed open gives, are left alone. */
void fd_close(int fd);
/* Asks a device, again after an interruption. Gives 0 or -errno. */
int fd_ioctl(int fd, unsigned long request, void *argument);
