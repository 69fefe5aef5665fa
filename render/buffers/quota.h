/* SPDX-License-Identifier: MIT */
/*
 * quota: how much host memory one guest may make the renderer use. A counter; gpu thread only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Default for 2D resources and scanout buffers together. */
#define QUOTA_PICTURES_BYTES (1024ull * 1024 * 1024)
/* For textures and buffers of virgl, estimated from their size: drivers may use more. */
#define QUOTA_TEXTURES_BYTES (4ull * 1024 * 1024 * 1024)

struct quota {
	uint64_t limit_bytes;
	uint64_t used_bytes;
};

/* False, and nothing charged, when the limit would be passed. */
static inline bool quota_charge(struct quota *quota, uint64_t size_bytes)
{
	if (size_bytes > quota->limit_bytes - quota->used_bytes)
		return false;
	quota->used_bytes += size_bytes;
	return true;
}

static inline void quota_release(struct quota *quota, uint64_t size_bytes)
{
	quota->used_bytes -= size_bytes;
}
