/* SPDX-License-Identifier: MIT */
/*
 * pointer: turns a pixel of the desktop into a position on QEMU's console.
 *
 * QEMU turns a position into 0..32767 by its idea of the console's size, with truncation, and
 * guests turn that into pixels, with truncation again. The keeper tells QEMU a console of twice the
 * size of the desktop; the centre of a pixel then comes out as that same pixel on every guest.
 */
#pragma once

#include <stdint.h>

/*
 * Returns where the centre of `pixel`, one of desktop_pixels, lies among console_pixels. Clamps to
 * them.
 */
static inline uint32_t pointer_map(int64_t pixel, uint32_t desktop_pixels, uint32_t console_pixels)
{
	if (desktop_pixels == 0 || console_pixels == 0 || pixel < 0)
		return 0;
	if (pixel >= desktop_pixels)
		pixel = (int64_t)desktop_pixels - 1;
	return (uint32_t)((uint64_t)(2 * pixel + 1) * console_pixels / (2ull * desktop_pixels));
}
