/* SPDX-License-Identifier: MIT */
#include "server/keeper/config.h"

#include <string.h>

struct gpu_config {
	uint32_t events_read;
	uint32_t events_clear;
	uint32_t n_scanouts;
	uint32_t n_capsets;
};

void config_read(uint32_t n_capsets, uint32_t offset_bytes, uint32_t size_bytes, uint8_t *data)
{
	const struct gpu_config config = { .n_scanouts = 1, .n_capsets = n_capsets };
	memset(data, 0, size_bytes);
	if (offset_bytes >= sizeof(config))
		return;
	uint32_t left = (uint32_t)sizeof(config) - offset_bytes;
	memcpy(data, (const char *)&config + offset_bytes, size_bytes < left ? size_bytes : left);
}
