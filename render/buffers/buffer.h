/* SPDX-License-Identifier: MIT */
/*
 * buffer: holds one picture's worth of memory that display may read too.
 *
 * It is the seam between kinds of memory: everything above it asks for a buffer and either writes
 * pixels into it or has a texture copied into it. The interface that a buffer is made with decides,
 * once, whether it is a memfd or memory of the GPU. Pixels are 32 bits, row 0 on top; B G R X in
 * memory where the CPU writes them.
 *
 * It is reference counted, and only the gpu thread uses it. The frame link holds a reference for
 * every PRESENT that display has not released; then `locked` is above zero and the pixels must not
 * be written.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/rect_set.h"
#include "protocol/frame_link.h"

struct buffer;
struct egl_choice;
struct texture;

/* The consumer wants a buffer to be like this. Memfds ignore it. */
struct buffer_wish {
	uint32_t fourcc; /* DRM_FORMAT_* that holds the source without loss */
	unsigned n_formats;
	struct frame_format formats[FRAME_FORMATS_MAX]; /* what the consumer takes */
};

struct buffer_interface {
	const char *name;
	/* A row takes the memory of a multiple of this many pixels. */
	uint32_t row_step;
	struct buffer *(*create)(uint32_t width, uint32_t height, const struct buffer_wish *wish);
	void (*destroy)(struct buffer *buffer);
	/*
	 * Copies `rect` of the texture (in picture coordinates, row 0 on top) to `x`,`y` of the
	 * buffer. virgl's GL context is current. Returns false when GL refused.
	 */
	bool (*copy_texture)(struct buffer *buffer, const struct texture *texture,
		const struct rect *rect, uint32_t x, uint32_t y);
	/*
	 * Both are NULL where copies are done on return. Else `submit` is called after the copies,
	 * with GL current. It returns a descriptor, which stays the buffer's and becomes readable
	 * when `complete` can be called, or -1 when the copies need no such thing. `complete` is
	 * called with GL current and returns false when the pixels were lost.
	 */
	int (*submit)(struct buffer *buffer);
	bool (*complete)(struct buffer *buffer);
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
	int fence_fd; /* sync file that goes with each frame: what must be over before it is read;
			 -1 */
	void *data;   /* the interface's own */

	struct rect_set
		stale; /* what the owner changed in its picture since this one was written */

	uint32_t link_id; /* the name display knows it by; belongs to frame_sender.c */
	void (*on_destroy)(void *user, struct buffer *buffer); /* NULL: nobody wants to know */
	void *on_destroy_user;
};

/* Its buffers lie in CPU memory, and copy_texture() waits for the GPU. */
extern const struct buffer_interface buffer_memfd;
/*
 * Its buffers lie in CPU memory. The GPU copies into memory of its own first, and another thread
 * fetches it from there (buffer_async.c).
 */
extern const struct buffer_interface buffer_memfd_async;
/*
 * Its buffers lie in memory of the GPU (buffer_gbm.c). It works only where egl_gbm_is_usable().
 */
extern const struct buffer_interface buffer_gbm;
/* Says by which interface buffers for the CPU are made when this is what draws. */
const struct buffer_interface *buffer_choose_for_cpu(const struct egl_choice *choice);

/*
 * Makes a buffer with one reference, of which everything is stale. Returns NULL when memory is
 * short or a side is not 1 to FRAME_SIZE_MAX pixels. `wish` may be NULL for memfds.
 */
struct buffer *buffer_create(const struct buffer_interface *interface, uint32_t width,
	uint32_t height, const struct buffer_wish *wish);
/*
 * Takes memory for a picture beforehand, touched, since the kernel takes longer to find its pages
 * than their copy takes. The next buffer in CPU memory is made of it, if it has about that size;
 * else it is given back. It is called once.
 */
void buffer_prepare(void);
struct buffer *buffer_ref(struct buffer *buffer);
void buffer_unref(struct buffer *buffer);
