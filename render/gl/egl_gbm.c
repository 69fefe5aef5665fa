/* SPDX-License-Identifier: MIT */
#include "render/gl/egl_gbm.h"

#include <drm_fourcc.h>
#include <epoxy/egl.h>
#include <epoxy/gl.h>
#include <gbm.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "render/gl/egl_display.h"

/* egl_gbm_buffer_check() looks at a square with sides of this many pixels. */
#define CHECK_SIDE 16u

static bool modifier_is_usable(uint32_t fourcc, uint64_t modifier, EGLBoolean external_only)
{
	return !external_only && modifier != DRM_FORMAT_MOD_INVALID &&
	       gbm_device_get_format_modifier_plane_count(
		       egl_display_get_gbm(), fourcc, modifier) == 1;
}

unsigned egl_gbm_query_modifiers(uint32_t fourcc, uint64_t modifiers[EGL_GBM_MODIFIERS_MAX])
{
	EGLuint64KHR all[EGL_GBM_MODIFIERS_MAX];
	EGLBoolean external_only[EGL_GBM_MODIFIERS_MAX];
	EGLint n_all = 0;
	unsigned n = 0;
	if (!egl_display_has("EGL_EXT_image_dma_buf_import_modifiers") ||
		!eglQueryDmaBufModifiersEXT(egl_display_get(), (EGLint)fourcc,
			EGL_GBM_MODIFIERS_MAX, all, external_only, &n_all))
		return 0;
	for (EGLint i = 0; i < n_all; i++) {
		if (modifier_is_usable(fourcc, all[i], external_only[i]))
			modifiers[n++] = all[i];
	}
	return n;
}

/* ---- making one ---- */

static struct gbm_bo *create_bo(uint32_t width, uint32_t height, uint32_t fourcc,
	const uint64_t *modifiers, unsigned n_modifiers)
{
	struct gbm_device *gbm = egl_display_get_gbm();
	if (n_modifiers == 1 && modifiers[0] == DRM_FORMAT_MOD_INVALID)
		return gbm_bo_create(gbm, width, height, fourcc, GBM_BO_USE_RENDERING);
	if (n_modifiers == 1 && modifiers[0] == DRM_FORMAT_MOD_LINEAR)
		return gbm_bo_create(
			gbm, width, height, fourcc, GBM_BO_USE_RENDERING | GBM_BO_USE_LINEAR);
	return gbm_bo_create_with_modifiers2(
		gbm, width, height, fourcc, modifiers, n_modifiers, GBM_BO_USE_RENDERING);
}

/*
 * Returns how many bytes any layout needs at least; those with tiles need more, since they round
 * up.
 */
static uint64_t needed_bytes(const struct egl_gbm_buffer *buffer)
{
	return (uint64_t)buffer->stride_bytes * (buffer->height - 1) + (uint64_t)buffer->width * 4 +
	       buffer->offset_bytes;
}

/*
 * Returns false when the stride cannot be true. EGL of this process knows the buffer and may ignore
 * the stride, but other processes cannot.
 */
static bool stride_is_possible(const struct egl_gbm_buffer *buffer)
{
	return buffer->stride_bytes >= buffer->width * 4 &&
	       needed_bytes(buffer) <= buffer->size_bytes;
}

/*
 * Exports the buffer by GBM and not by the DRM handle: Mesa's driver must know that this buffer and
 * the one that EGL imports are the same, or each closes the other's handle. Drivers have reported
 * success with no descriptor, so it is checked.
 */
static bool export_dmabuf(struct egl_gbm_buffer *buffer)
{
	buffer->fd = gbm_bo_get_fd(buffer->bo);
	if (buffer->fd < 0)
		return false;
	off_t size_bytes = lseek(buffer->fd, 0, SEEK_END);
	buffer->stride_bytes = gbm_bo_get_stride(buffer->bo);
	buffer->offset_bytes = gbm_bo_get_offset(buffer->bo, 0);
	/*
	 * What was left to the driver stays unsaid, even if GBM would say it. Older Mesa does not
	 * say that a linear buffer is linear.
	 */
	uint64_t said = gbm_bo_get_modifier(buffer->bo);
	if (buffer->modifier != DRM_FORMAT_MOD_INVALID && said != DRM_FORMAT_MOD_INVALID)
		buffer->modifier = said;
	buffer->size_bytes = size_bytes > 0 ? (uint64_t)size_bytes : needed_bytes(buffer);
	return true;
}

/* It is asked since libepoxy ends the process where a function is missing. */
static bool can_import(void)
{
	return egl_display_has("EGL_KHR_image_base") &&
	       egl_display_has("EGL_EXT_image_dma_buf_import") &&
	       epoxy_has_gl_extension("GL_OES_EGL_image");
}

static bool import_image(struct egl_gbm_buffer *buffer)
{
	EGLint attributes[] = { EGL_WIDTH, (EGLint)buffer->width, EGL_HEIGHT,
		(EGLint)buffer->height, EGL_LINUX_DRM_FOURCC_EXT, (EGLint)buffer->fourcc,
		EGL_DMA_BUF_PLANE0_FD_EXT, buffer->fd, EGL_DMA_BUF_PLANE0_OFFSET_EXT,
		(EGLint)buffer->offset_bytes, EGL_DMA_BUF_PLANE0_PITCH_EXT,
		(EGLint)buffer->stride_bytes, EGL_NONE, 0, EGL_NONE, 0, EGL_NONE };
	bool explicit = buffer->modifier != DRM_FORMAT_MOD_INVALID &&
			egl_display_has("EGL_EXT_image_dma_buf_import_modifiers");
	if (explicit) {
		attributes[12] = EGL_DMA_BUF_PLANE0_MODIFIER_LO_EXT;
		attributes[13] = (EGLint)(buffer->modifier & 0xffffffff);
		attributes[14] = EGL_DMA_BUF_PLANE0_MODIFIER_HI_EXT;
		attributes[15] = (EGLint)(buffer->modifier >> 32);
	}
	buffer->image = eglCreateImageKHR(
		egl_display_get(), EGL_NO_CONTEXT, EGL_LINUX_DMA_BUF_EXT, NULL, attributes);
	/* Drivers without modifiers know linear buffers without the name. */
	if (!buffer->image && explicit && buffer->modifier == DRM_FORMAT_MOD_LINEAR) {
		attributes[12] = EGL_NONE;
		buffer->image = eglCreateImageKHR(
			egl_display_get(), EGL_NO_CONTEXT, EGL_LINUX_DMA_BUF_EXT, NULL, attributes);
	}
	return buffer->image != EGL_NO_IMAGE_KHR;
}

static bool make_framebuffer(struct egl_gbm_buffer *buffer)
{
	GLint texture_before, framebuffer_before;
	glGetIntegerv(GL_TEXTURE_BINDING_2D, &texture_before);
	glGetIntegerv(GL_DRAW_FRAMEBUFFER_BINDING, &framebuffer_before);
	glGenTextures(1, &buffer->gl_texture);
	glBindTexture(GL_TEXTURE_2D, buffer->gl_texture);
	glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
	glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
	glEGLImageTargetTexture2DOES(GL_TEXTURE_2D, buffer->image);
	glBindTexture(GL_TEXTURE_2D, (GLuint)texture_before);
	glGenFramebuffers(1, &buffer->gl_framebuffer);
	glBindFramebuffer(GL_DRAW_FRAMEBUFFER, buffer->gl_framebuffer);
	glFramebufferTexture2D(
		GL_DRAW_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, buffer->gl_texture, 0);
	bool ok = glCheckFramebufferStatus(GL_DRAW_FRAMEBUFFER) == GL_FRAMEBUFFER_COMPLETE;
	glBindFramebuffer(GL_DRAW_FRAMEBUFFER, (GLuint)framebuffer_before);
	return ok;
}

struct egl_gbm_buffer *egl_gbm_buffer_create(uint32_t width, uint32_t height, uint32_t fourcc,
	const uint64_t *modifiers, unsigned n_modifiers, const char **why)
{
	struct egl_gbm_buffer *buffer = g_new0(struct egl_gbm_buffer, 1);
	*buffer = (struct egl_gbm_buffer){
		.fd = -1,
		.width = width,
		.height = height,
		.fourcc = fourcc,
		.modifier = modifiers[0],
	};
	buffer->bo = create_bo(width, height, fourcc, modifiers, n_modifiers);
	if (!buffer->bo)
		*why = "GBM makes no such buffer";
	else if (gbm_bo_get_plane_count(buffer->bo) != 1)
		*why = "the driver wants more than one plane";
	else if (!export_dmabuf(buffer))
		*why = "it cannot be exported";
	else if (!stride_is_possible(buffer))
		*why = "its stride does not fit its size";
	else if (!can_import())
		*why = "EGL or GL has no images of dma-bufs";
	else if (!import_image(buffer))
		*why = "EGL does not take it back";
	else if (!make_framebuffer(buffer))
		*why = "GL does not draw to it";
	else
		return buffer;
	egl_gbm_buffer_destroy(buffer);
	return NULL;
}

void egl_gbm_buffer_destroy(struct egl_gbm_buffer *buffer)
{
	if (buffer->gl_framebuffer)
		glDeleteFramebuffers(1, &buffer->gl_framebuffer);
	if (buffer->gl_texture)
		glDeleteTextures(1, &buffer->gl_texture);
	if (buffer->image)
		eglDestroyImageKHR(egl_display_get(), buffer->image);
	if (buffer->fd >= 0)
		close(buffer->fd);
	if (buffer->bo)
		gbm_bo_destroy(buffer->bo);
	g_free(buffer);
}

/* ---- believing nothing ---- */

/* Makes every byte differ from its neighbours, in a way that no swap of channels maps to itself. */
static void fill_pattern(uint8_t *pixel, unsigned x, unsigned y)
{
	pixel[0] = (uint8_t)(x * 13 + 1);
	pixel[1] = (uint8_t)(y * 11 + 77);
	pixel[2] = (uint8_t)(x * y + 140);
	pixel[3] = 0xff;
}

static bool write_pattern(struct egl_gbm_buffer *buffer, uint32_t x, uint32_t y)
{
	uint32_t stride_bytes = 0;
	void *map = NULL;
	uint8_t *pixels = gbm_bo_map(buffer->bo, x, y, CHECK_SIDE, CHECK_SIDE,
		GBM_BO_TRANSFER_WRITE, &stride_bytes, &map);
	if (!pixels)
		return false;
	for (unsigned row = 0; row < CHECK_SIDE; row++) {
		for (unsigned column = 0; column < CHECK_SIDE; column++)
			fill_pattern(pixels + row * stride_bytes + column * 4, column, row);
	}
	gbm_bo_unmap(buffer->bo, map);
	return true;
}

/*
 * Compares what GL reads with the pattern. That is in the order of bytes, and the format's name
 * says how to ask GL for the same order.
 */
static bool read_pattern(struct egl_gbm_buffer *buffer, uint32_t x, uint32_t y)
{
	bool rgb_in_memory =
		buffer->fourcc == DRM_FORMAT_XBGR8888 || buffer->fourcc == DRM_FORMAT_ABGR8888;
	uint8_t pixels[CHECK_SIDE * CHECK_SIDE * 4] = { 0 }, want[4];
	GLint before;
	glGetIntegerv(GL_READ_FRAMEBUFFER_BINDING, &before);
	glBindFramebuffer(GL_READ_FRAMEBUFFER, buffer->gl_framebuffer);
	glBindBuffer(GL_PIXEL_PACK_BUFFER, 0);
	glPixelStorei(GL_PACK_ALIGNMENT, 4);
	glPixelStorei(GL_PACK_ROW_LENGTH, 0);
	glReadPixels((GLint)x, (GLint)y, CHECK_SIDE, CHECK_SIDE, rgb_in_memory ? GL_RGBA : GL_BGRA,
		GL_UNSIGNED_BYTE, pixels);
	glBindFramebuffer(GL_READ_FRAMEBUFFER, (GLuint)before);
	for (unsigned i = 0; i < CHECK_SIDE * CHECK_SIDE; i++) {
		fill_pattern(want, i % CHECK_SIDE, i / CHECK_SIDE);
		if (memcmp(pixels + i * 4, want, 3) != 0)
			return false;
	}
	return true;
}

bool egl_gbm_buffer_check(struct egl_gbm_buffer *buffer)
{
	bool eight_bits = buffer->fourcc != DRM_FORMAT_XRGB2101010 &&
			  buffer->fourcc != DRM_FORMAT_ARGB2101010 &&
			  buffer->fourcc != DRM_FORMAT_XBGR2101010 &&
			  buffer->fourcc != DRM_FORMAT_ABGR2101010;
	if (!eight_bits || buffer->width < CHECK_SIDE || buffer->height < CHECK_SIDE)
		return true;
	uint32_t x = buffer->width - CHECK_SIDE, y = buffer->height - CHECK_SIDE;
	return !write_pattern(buffer, x, y) || read_pattern(buffer, x, y);
}
