/* SPDX-License-Identifier: MIT */
/*
 * blit: copies part of a guest's texture on the GPU, without waiting for it. gpu thread, with
 * virgl's context current, whose state is left as it was.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "render/gl/readback.h"

/* Copies to `x`,`y` of a framebuffer, upright. False (logged) when GL refuses. */
bool blit_texture(const struct texture *texture, const struct rect *rect, uint32_t gl_framebuffer,
	uint32_t x, uint32_t y);

/*
 * Copies to a buffer object, at offset_bytes, as B G R X rows without padding. The rows come as
 * they lie in the texture: of one that is bottom_up the last row comes first. False (logged) when
 * GL refuses.
 */
bool blit_texture_to_object(const struct texture *texture, const struct rect *rect,
	uint32_t gl_buffer, size_t offset_bytes);
