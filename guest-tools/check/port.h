/* SPDX-License-Identifier: MIT */
/* port: the virtio-serial ports that the host gives this guest, found by name. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Is there a port called `name`? Its node, such as /dev/vport1p2, goes to `device` (may be NULL).
 */
bool port_find(const char *name, char *device, size_t size);
