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

/*
 * Rows of linear buffers have room for a multiple of this many pixels, so that each begins at a
 * multiple of 256 bytes, which is the most that a GPU asks of what it takes from another.
 */
#define EGL_GBM_LINEAR_STEP 64u

static inline uint32_t egl_gbm_pad(uint32_t width)
{
	return (width + EGL_GBM_LINEAR_STEP - 1) / EGL_GBM_LINEAR_STEP * EGL_GBM_LINEAR_STEP;
}

struct egl_gbm_buffer {
	int fd; /* the dma-buf */
	uint32_t width, height, stride_bytes, fourcc;
	uint64_t modifier; /* DRM_FORMAT_MOD_INVALID: whatever the driver makes of it */
	uint64_t layout;   /* what GBM says that the driver made of it; INVALID: it does not say */
	uint64_t offset_bytes, size_bytes;
	uint32_t gl_texture, gl_framebuffer;

	void *image;       /* EGLImage */
	struct gbm_bo *bo; /* NULL in tests that bring their own descriptor */
};

/*
 * Returns true when EGL and GL have all that buffers need, or sets *why to what is missing, a
 * static text.
 */
bool egl_gbm_is_usable(const char **why);

/*
 * Fills in the modifiers (DRM_FORMAT_MOD_*) but LINEAR with which GL can draw to this format, and
 * returns their number. It needs no current context.
 */
unsigned egl_gbm_query_modifiers(uint32_t fourcc, uint64_t modifiers[EGL_GBM_MODIFIERS_MAX]);
/*
 * Returns false when EGL knows the layouts of this format, and linear is for sampling only or none
 * of them: NVIDIA's GPUs draw to tiles only.
 */
bool egl_gbm_draws_linear(uint32_t fourcc);

/*
 * Tries once to make a buffer. The modifier INVALID leaves the layout to the driver. Returns NULL
 * when there is no memory, no dma-buf, or GL will not draw to it, and sets *why to the reason, a
 * static text. The caller destroys the buffer.
 */
struct egl_gbm_buffer *egl_gbm_buffer_create(uint32_t width, uint32_t height, uint32_t fourcc,
	const uint64_t *modifiers, unsigned n_modifiers, const char **why);
void egl_gbm_buffer_destroy(struct egl_gbm_buffer *buffer);

/*
 * Writes a few pixels with the CPU and reads them with GL. Returns NULL when they arrive; else what
 * is wrong, a static text: stride, offset or layout are not what GBM said, or the CPU cannot reach
 * the buffer, so that nobody knows.
 */
const char *egl_gbm_buffer_check(struct egl_gbm_buffer *buffer);
