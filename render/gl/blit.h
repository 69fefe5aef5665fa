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
 * Makes a texture of ours for the next call, whose pixels are 8 bits a channel. Returns false when
 * memory is short.
 */
bool blit_create_target(struct texture *target, uint32_t width, uint32_t height);
/* Any thread with a context that has the texture may call it. */
void blit_destroy_target(const struct texture *target);
/* Copies `rect` of the texture, turned upright, to `x`,`y` of such a texture, as blit_texture(). */
bool blit_texture_to_target(const struct texture *texture, const struct rect *rect,
	const struct texture *target, uint32_t x, uint32_t y);
