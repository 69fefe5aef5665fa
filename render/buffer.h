/* SPDX-License-Identifier: MIT */
/*
 * buffer: one picture's worth of memory that display may read too.
 *
 * The seam between kinds of memory: everything above it asks for a buffer and either writes pixels
 * into it or has a texture copied into it; whether that is a memfd or memory of the GPU is decided
 * once, by the interface it was made with. Pixels are 32 bits, B G R X in memory, row 0 on top.
 *
 * Reference counted, gpu thread only. The frame link holds a reference for every FRAME that display
 * has not released; then `locked` is above zero and the pixels must not be written.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "render/region.h"

struct buffer;
struct texture;

struct buffer_interface {
	const char *name;
	struct buffer *(*create)(uint32_t width, uint32_t height);
	void (*destroy)(struct buffer *buffer);
	/*
	 * Copies `rect` of the texture (in picture coordinates, row 0 on top) to `x`,`y` of the buffer.
	 * GL is current. False when GL refused.
	 */
	bool (*copy_texture)(struct buffer *buffer, const struct texture *texture,
			const struct frame_rect *rect, uint32_t x, uint32_t y);
};

struct buffer {
	const struct buffer_interface *interface;
	unsigned refs;
	unsigned locked;

	int fd;
	uint32_t kind; /* enum frame_buffer_kind */
	uint32_t width, height, stride_bytes, fourcc;
	uint64_t modifier, offset_bytes, size_bytes;
	uint8_t *pixels; /* NULL when the CPU cannot write here */

	struct region stale; /* what the owner changed in its picture since this one was written */

	uint32_t link_id; /* the name display knows it by; belongs to frame_link.c */
	void (*on_destroy)(void *user, struct buffer *buffer); /* NULL: nobody wants to know */
	void *on_destroy_user;
};

extern const struct buffer_interface buffer_memfd;

/* One reference, everything stale. NULL when memory is short or the size is not 1..FRAME_SIZE_MAX. */
struct buffer *buffer_create(const struct buffer_interface *interface, uint32_t width, uint32_t height);
struct buffer *buffer_ref(struct buffer *buffer);
void buffer_unref(struct buffer *buffer);
