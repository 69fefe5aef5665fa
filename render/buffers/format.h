/* SPDX-License-Identifier: MIT */
/*
 * format: turns the eight pixel formats of 2D resources (virtio 1.2, 5.7.6.8) into B G R X. Each
 * has RECT_PIXEL_BYTES a pixel.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

bool format_is_known(uint32_t format);
/* Returns true for formats whose bytes already lie as B G R A or B G R X. */
bool format_is_native(uint32_t format);
/* Turns n pixels of `format` into B G R A in place. */
void format_convert(uint32_t format, uint8_t *pixels, uint64_t n_pixels);
/*
 * Returns the DRM_FORMAT_* without alpha that holds what a 3D resource of this virgl format shows,
 * or XRGB8888 where no such format is as common. Returns 0 for a format that is none for screens.
 */
uint32_t format_get_scanout_fourcc(uint32_t virgl_format);
