/* SPDX-License-Identifier: MIT */
/*
 * quota: how much host memory one guest may make the renderer use. A counter; gpu thread only.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "render/buffers/limits.h"

struct quota {
	uint64_t limit_bytes;
	uint64_t used_bytes;
};

/* False, and nothing charged, when the limit would be passed. */
static inline bool quota_charge(struct quota *quota, uint64_t size_bytes)
{
	g_assert(quota->used_bytes <= quota->limit_bytes);
	if (size_bytes > quota->limit_bytes - quota->used_bytes)
		return false;
	quota->used_bytes += size_bytes;
	return true;
}

static inline void quota_release(struct quota *quota, uint64_t size_bytes)
{
	g_assert(size_bytes <= quota->used_bytes);
	quota->used_bytes -= size_bytes;
}
