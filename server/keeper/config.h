/* SPDX-License-Identifier: MIT */
/*
 * config is the device configuration space of virtio-gpu (virtio 1.2, 5.7.4). It is answered
 * without asking anyone.
 */
#pragma once

#include <stdint.h>

/*
 * Fills data[0 .. size_bytes) with the configuration from offset_bytes on, and with zeroes behind
 * its end. QEMU replaces the scanouts and events by its own.
 */
void config_read(uint32_t n_capsets, uint32_t offset_bytes, uint32_t size_bytes, uint8_t *data);
