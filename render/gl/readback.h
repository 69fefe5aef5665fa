/* SPDX-License-Identifier: MIT */
/*
 * readback: copies part of a GL texture to memory. But for readback_rects() the gpu thread calls
 * it, with virgl's context current.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/rect_set.h"
#include "protocol/frame_link.h"

/* A guest shows this texture. `height` is needed to turn pictures that lie upside down. */
struct texture {
	uint32_t gl_id;
	uint32_t gl_target;
	uint32_t width, height;
	bool bottom_up; /* VIRTIO_GPU_RESOURCE_FLAG_Y_0_TOP: the picture's top row is the last of
			   the texture */
};

/*
 * Writes `rect` (in picture coordinates, row 0 on top, inside the texture) as B G R X rows,
 * stride_bytes apart. Returns false, which is logged, when GL cannot read that texture.
 */
bool readback_texture(
	const struct texture *texture, const struct rect *rect, uint8_t *to, uint32_t stride_bytes);

/*
 * Does the same for all rectangles of the set, each at its own place in `pixels`, of a texture that
 * is not bottom_up. It is for GPUs, which copy and convert at once, and may be called on any thread
 * with a context that has the texture.
 */
bool readback_rects(const struct texture *texture, const struct rect_set *rects, uint8_t *pixels,
	uint32_t stride_bytes);
