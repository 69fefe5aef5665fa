/* SPDX-License-Identifier: MIT */
/*
 * egl_gbm: makes memory of the GPU that other processes can take and GL can draw into.
 *
 * A buffer is made by GBM, exported as one dma-buf, and imported again as the image that GL draws
 * to. So what we draw through is what the consumer will read through. The gpu thread calls it, with
 * a context current.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * At most this many layouts of one format are looked at. Those with more than one plane are left
 * out.
 */
#define EGL_GBM_MODIFIERS_MAX 64

struct egl_gbm_buffer {
	int fd; /* the dma-buf */
	uint32_t width, height, stride_bytes, fourcc;
	uint64_t modifier; /* DRM_FORMAT_MOD_INVALID: whatever the driver makes of it */
	uint64_t offset_bytes, size_bytes;
	uint32_t gl_texture, gl_framebuffer;

	void *image;       /* EGLImage */
	struct gbm_bo *bo; /* NULL in tests that bring their own descriptor */
};

/*
 * Fills in the modifiers (DRM_FORMAT_MOD_*) with which GL can draw to this format, and returns
 * their number. It needs no current context.
 */
unsigned egl_gbm_query_modifiers(uint32_t fourcc, uint64_t modifiers[EGL_GBM_MODIFIERS_MAX]);

/*
 * Tries once to make a buffer. The modifier INVALID leaves the layout to the driver. Returns NULL
 * when there is no memory, no dma-buf, or GL will not draw to it, and sets *why to the reason, a
 * static text. The caller destroys the buffer.
 */
struct egl_gbm_buffer *egl_gbm_buffer_create(uint32_t width, uint32_t height, uint32_t fourcc,
	const uint64_t *modifiers, unsigned n_modifiers, const char **why);
void egl_gbm_buffer_destroy(struct egl_gbm_buffer *buffer);

/*
 * Writes a few pixels with the CPU and reads them with GL. Returns false when they do not arrive,
 * which means that stride, offset or layout are not what GBM said. Returns true as well when the
 * CPU cannot reach the buffer.
 */
bool egl_gbm_buffer_check(struct egl_gbm_buffer *buffer);
