/* SPDX-License-Identifier: MIT */
/* frames: frames of one buffer for tests, and how many of them were released. */
#pragma once

#include <stdbool.h>

#include "display/heads/frame.h"

struct frames {
	uint32_t width, height;
	uint32_t stride_bytes;
	struct shared_buffer *buffer;
	uint8_t *memory; /* what a renderer would write */
	size_t size_bytes;
	unsigned made;
	int released; /* atomic: any thread may be the last */
};

/* `tail`: the object goes on to the end of the last row's stride. */
void frames_init(
	struct frames *frames, uint32_t width, uint32_t height, uint32_t stride_bytes, bool tail);
/* Every frame was released. */
void frames_finish(struct frames *frames);

/* All of the buffer, as a frame of the head with this serial. */
struct frame *frames_make(struct frames *frames, unsigned head, uint64_t serial);
unsigned frames_held(struct frames *frames);
