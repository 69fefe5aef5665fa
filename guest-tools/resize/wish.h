/* SPDX-License-Identifier: MIT */
/* wish reads what the host says by a connector: that it is ours, and the mode that is wished. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Two blocks are what the host writes at most. */
#define EDID_READ_BYTES 256

struct resize_mode {
	uint32_t width, height;
	uint32_t refresh_mhz; /* 0: any */
};

/* Gives false when this is no EDID of our host's. */
bool wish_read(const uint8_t *edid, size_t n_bytes, struct resize_mode *wish);
/* The same of the connector of this name, such as "Virtual-1", as the kernel knows it. */
bool wish_read_connector(const char *name, struct resize_mode *wish);
/* Is it the mode that is wished? A rate of 0 on either side is any. */
bool wish_is_same(const struct resize_mode *a, const struct resize_mode *b);
