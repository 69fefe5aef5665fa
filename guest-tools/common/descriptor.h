/* SPDX-License-Identifier: MIT */
/* descriptor does what the guest tools do with descriptors of devices in more than one place. */
#pragma once

/* Closes the descriptor. A negative one, which a failed open gives, is left alone. */
void descriptor_close(int fd);
/* Asks a device, and asks again after an interruption. Gives 0 or -errno. */
int descriptor_ioctl(int fd, unsigned long request, void *argument);
