/* SPDX-License-Identifier: MIT */
/* spice-probe reads the frame counter here that a guest program draws. */
#include "tests/client/probe.h"
#include "tests/guest/counter_layout.h"

bool counter_read(const struct probe_display *display, const struct counter_reading *hint,
	bool search, struct counter_reading *reading)
{
	const struct counter_picture picture = { .pixels = display->data,
		.width = display->width,
		.height = display->height,
		.stride_bytes = display->stride_bytes };

	if (display->format != SPICE_SURFACE_FMT_32_xRGB &&
		display->format != SPICE_SURFACE_FMT_32_ARGB)
		return false;
	if (hint && counter_read_at(&picture, hint->x, hint->y, &reading->value)) {
		reading->x = hint->x;
		reading->y = hint->y;
		return true;
	}
	return search && counter_find(&picture, &reading->value, &reading->x, &reading->y);
}
