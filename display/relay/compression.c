/* SPDX-License-Identifier: MIT */
#include "display/relay/compression.h"

bool compression_small(bool small, const struct line_figures *figures)
{
	if (figures->rate_is_floor || figures->rate_bps == 0)
		return figures->rtt_min_us >= LINE_FAR_US &&
		       figures->rate_bps < COMPRESSION_QUICK_BPS;
	return figures->rate_bps < (small ? COMPRESSION_QUICK_BPS : COMPRESSION_SMALL_BPS);
}
