/* SPDX-License-Identifier: MIT */
/* picture_limits: makes the quotas of a desktop whose pictures may take a given number of bytes. */
#pragma once

#include "protocol/quotas.h"

static inline struct quota_limits picture_limits(uint64_t picture_bytes)
{
	struct quota_limits limits;
	quotas_set_initial(&limits);
	limits.max[QUOTA_PICTURE_BYTES] = picture_bytes;
	return limits;
}
