/* SPDX-License-Identifier: MIT */
/*
 * blit: copies part of a guest's texture on the GPU, without waiting for it. The gpu thread calls
 * it with virgl's context current, and finds that context's state as it was.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "render/gl/readback.h"

/*
 * Copies `rect` of the texture, turned upright, to `x`,`y` of a framebuffer. Returns false, which
 * is logged, when GL refuses.
 */
bool blit_texture(const struct texture *texture, const struct rect *rect, uint32_t gl_framebuffer,
	uint32_t x, uint32_t y);

/*
 * Copies `rect` of the texture to a buffer object, at offset_bytes, as rows of B G R X without
 * padding. The rows come as they lie in the texture, so of a texture that is bottom_up the last row
 * comes first. Returns false, which is logged, when GL refuses.
 */
bool blit_texture_to_object(const struct texture *texture, const struct rect *rect,
	uint32_t gl_buffer, size_t offset_bytes);
