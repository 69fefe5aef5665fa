/* SPDX-License-Identifier: MIT */
/* picture_quality: computes how near a shown picture is to the one that was drawn. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tests/guest/programs/scene.h"

struct picture_quality {
	double psnr_db; /* of luma; 99 when equal */
	double ssim; /* of luma, mean over 8x8 windows four pixels apart, constants of Wang et al.
			2004 */
	uint64_t n_different; /* pixels of which any bit of R, G, B differs */
};

/* Compares only the rectangle. Both pictures hold 0xXXRRGGBB; strides are in pixels. */
struct picture_quality picture_quality_of(const uint32_t *shown, size_t shown_stride,
	const uint32_t *drawn, size_t drawn_stride, struct scene_rect rect);
