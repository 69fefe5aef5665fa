/* SPDX-License-Identifier: MIT */
/* frames: makes frames of one buffer for tests, and counts how many of them were released. */
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

/* Makes the buffer. If `tail`, the memory goes on to the end of the last row's stride. */
void frames_init(
	struct frames *frames, uint32_t width, uint32_t height, uint32_t stride_bytes, bool tail);
/* Checks that every frame was released, and frees the buffer. */
void frames_finish(struct frames *frames);

/* Returns all of the buffer as a frame of the head with this serial. */
struct frame *frames_make(struct frames *frames, unsigned head, uint64_t serial);
unsigned frames_held(struct frames *frames);
