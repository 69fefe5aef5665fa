/* SPDX-License-Identifier: MIT */
/* port finds the virtio-serial ports that the host gives this guest by their names. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Is there a port of this name? The path of its node, such as /dev/vport1p2, goes to `device`,
 * which may be NULL.
 */
bool port_find(const char *name, char *device, size_t size);
