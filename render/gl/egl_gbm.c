/* SPDX-License-Identifier: MIT */
#include "render/gl/egl_gbm.h"

#include <drm_fourcc.h>
#include <epoxy/egl.h>
#include <epoxy/gl.h>
#include <gbm.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "common/rect.h"
#include "render/gl/egl_display.h"
#include "render/gl/gl_errors.h"

/* egl_gbm_buffer_check() looks at a square with sides of at most this many pixels. */
#define CHECK_SIDE 16u

/* Asks, since libepoxy ends the process where a function is missing. */
bool egl_gbm_is_usable(const char **why)
{
	if (!egl_display_get_gbm())
		*why = "its EGL is not on GBM";
	else if (!egl_display_has("EGL_KHR_image_base") ||
		 !egl_display_has("EGL_EXT_image_dma_buf_import"))
		*why = "EGL imports no dma-bufs";
	else if (!epoxy_has_gl_extension("GL_OES_EGL_image"))
		*why = "GL draws to no images of EGL (GL_OES_EGL_image)";
	else
		return true;
	return false;
}

/* ---- what EGL says of layouts ---- */

struct layouts {
	EGLint n;
	EGLuint64KHR modifiers[EGL_GBM_MODIFIERS_MAX];
	EGLBoolean external_only[EGL_GBM_MODIFIERS_MAX];
};

/* Gives none where EGL knows no modifiers of this format. */
static void query_layouts(uint32_t fourcc, struct layouts *layouts)
{
	EGLint n = 0;
	bool ok = egl_display_has("EGL_EXT_image_dma_buf_import_modifiers") &&
		  eglQueryDmaBufModifiersEXT(egl_display_get(), (EGLint)fourcc,
			  EGL_GBM_MODIFIERS_MAX, layouts->modifiers, layouts->external_only, &n);
	layouts->n = ok ? CLAMP(n, 0, EGL_GBM_MODIFIERS_MAX) : 0;
}

static bool modifier_is_usable(uint32_t fourcc, uint64_t modifier, EGLBoolean external_only)
{
	return !external_only && modifier != DRM_FORMAT_MOD_INVALID &&
	       modifier != DRM_FORMAT_MOD_LINEAR &&
	       gbm_device_get_format_modifier_plane_count(
		       egl_display_get_gbm(), fourcc, modifier) == 1;
}

unsigned egl_gbm_query_modifiers(uint32_t fourcc, uint64_t modifiers[EGL_GBM_MODIFIERS_MAX])
{
	struct layouts layouts;
	unsigned n = 0;
	query_layouts(fourcc, &layouts);
	for (EGLint i = 0; i < layouts.n; i++) {
		if (modifier_is_usable(fourcc, layouts.modifiers[i], layouts.external_only[i]))
			modifiers[n++] = layouts.modifiers[i];
	}
	return n;
}

bool egl_gbm_draws_linear(uint32_t fourcc)
{
	struct layouts layouts;
	query_layouts(fourcc, &layouts);
	for (EGLint i = 0; i < layouts.n; i++) {
		if (layouts.modifiers[i] == DRM_FORMAT_MOD_LINEAR)
			return !layouts.external_only[i];
	}
	return layouts.n == 0;
}

/* ---- making one ---- */

/*
 * Linear rows are padded by us (EGL_GBM_LINEAR_STEP): Intel's driver would make 1366 pixels 5464
 * bytes long, and AMD's GPUs take multiples of 256 only.
 */
static struct gbm_bo *create_bo(uint32_t width, uint32_t height, uint32_t fourcc,
	const uint64_t *modifiers, unsigned n_modifiers)
{
	struct gbm_device *gbm = egl_display_get_gbm();
	if (n_modifiers == 1 && modifiers[0] == DRM_FORMAT_MOD_INVALID)
		return gbm_bo_create(gbm, width, height, fourcc, GBM_BO_USE_RENDERING);
	if (n_modifiers == 1 && modifiers[0] == DRM_FORMAT_MOD_LINEAR)
		return gbm_bo_create(gbm, egl_gbm_pad(width), height, fourcc,
			GBM_BO_USE_RENDERING | GBM_BO_USE_LINEAR);
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
	buffer->layout = gbm_bo_get_modifier(buffer->bo);
	if (buffer->modifier != DRM_FORMAT_MOD_INVALID && buffer->layout != DRM_FORMAT_MOD_INVALID)
		buffer->modifier = buffer->layout;
	buffer->size_bytes = size_bytes > 0 ? (uint64_t)size_bytes : needed_bytes(buffer);
	return true;
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
	gl_errors_drain();
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
	/* An image that is for sampling only is refused by an error. */
	return glGetError() == GL_NO_ERROR && ok;
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

/* The part of the buffer that is looked at: its last corner, where a wrong stride shows most. */
static struct rect check_place(const struct egl_gbm_buffer *buffer)
{
	uint32_t width = MIN(buffer->width, CHECK_SIDE), height = MIN(buffer->height, CHECK_SIDE);
	return (struct rect){ buffer->width - width, buffer->height - height, width, height };
}

static bool has_ten_bits(uint32_t fourcc)
{
	return fourcc == DRM_FORMAT_XRGB2101010 || fourcc == DRM_FORMAT_ARGB2101010 ||
	       fourcc == DRM_FORMAT_XBGR2101010 || fourcc == DRM_FORMAT_ABGR2101010;
}

static bool is_red_first(uint32_t fourcc)
{
	return fourcc == DRM_FORMAT_XBGR8888 || fourcc == DRM_FORMAT_ABGR8888 ||
	       fourcc == DRM_FORMAT_XBGR2101010 || fourcc == DRM_FORMAT_ABGR2101010;
}

/*
 * Makes every pixel differ from its neighbours, in a way that no swap of channels maps to itself.
 * Whether there are 8 or 10 bits a channel, alpha's are above the others.
 */
static uint32_t pattern(uint32_t x, uint32_t y)
{
	return 0xc0000000 | (x * 13 + 1) << 16 | (y * 11 + 77) << 8 | ((x * y + 140) & 0xff);
}

static bool write_pattern(struct egl_gbm_buffer *buffer, const struct rect *place)
{
	uint32_t stride_bytes = 0;
	void *map = NULL;
	uint8_t *pixels = gbm_bo_map(buffer->bo, place->x, place->y, place->width, place->height,
		GBM_BO_TRANSFER_WRITE, &stride_bytes, &map);
	if (!pixels)
		return false;
	for (uint32_t y = 0; y < place->height; y++) {
		uint32_t *row = (uint32_t *)(pixels + (size_t)y * stride_bytes);
		for (uint32_t x = 0; x < place->width; x++)
			row[x] = pattern(x, y);
	}
	gbm_bo_unmap(buffer->bo, map);
	return true;
}

/* Compares what GL reads with the pattern, all bits of colour in the order of the format's name. */
static bool read_pattern(struct egl_gbm_buffer *buffer, const struct rect *place)
{
	bool ten = has_ten_bits(buffer->fourcc);
	uint32_t pixels[CHECK_SIDE * CHECK_SIDE] = { 0 }, colours = ten ? 0x3fffffff : 0xffffff;
	GLint before;
	glGetIntegerv(GL_READ_FRAMEBUFFER_BINDING, &before);
	glBindFramebuffer(GL_READ_FRAMEBUFFER, buffer->gl_framebuffer);
	glBindBuffer(GL_PIXEL_PACK_BUFFER, 0);
	glPixelStorei(GL_PACK_ALIGNMENT, 4);
	glPixelStorei(GL_PACK_ROW_LENGTH, 0);
	glReadPixels((GLint)place->x, (GLint)place->y, (GLsizei)place->width,
		(GLsizei)place->height, is_red_first(buffer->fourcc) ? GL_RGBA : GL_BGRA,
		ten ? GL_UNSIGNED_INT_2_10_10_10_REV : GL_UNSIGNED_INT_8_8_8_8_REV, pixels);
	glBindFramebuffer(GL_READ_FRAMEBUFFER, (GLuint)before);
	for (uint32_t i = 0; i < place->width * place->height; i++) {
		if ((pixels[i] ^ pattern(i % place->width, i / place->width)) & colours)
			return false;
	}
	return true;
}

const char *egl_gbm_buffer_check(struct egl_gbm_buffer *buffer)
{
	const struct rect place = check_place(buffer);
	if (!write_pattern(buffer, &place))
		return "its pixels cannot be looked at";
	return read_pattern(buffer, &place) ? NULL : "pixels do not arrive where they should";
}
