/* SPDX-License-Identifier: MIT */
/*
 * Scanout buffers can lie in memory of the GPU. We choose their layout as far as the consumer takes
 * it: an explicit one that both GL and the consumer know, else linear, which everybody can read,
 * else what the driver prefers. That one the consumer's driver must find out by itself, and it can
 * only where it is told nothing, not even by GBM: a tiled layout that has a name is not among them.
 * A layout that fails once is named in the log and not tried again.
 */
#include <drm_fourcc.h>
#include <epoxy/gl.h>
#include <glib.h>

#include "common/fd.h"
#include "render/gl/blit.h"
#include "render/buffers/buffer.h"
#include "render/gl/egl_fence.h"
#include "render/gl/egl_gbm.h"
#include "render/gl/virgl.h"

#define LAYOUTS_MAX 128

struct gbm_data {
	struct egl_gbm_buffer *gbm;
	int ready_fd; /* not a sync file: copies are over when it is readable; -1 */
};

/* ---- layouts that were tried ---- */

struct layout {
	uint32_t fourcc;
	uint64_t modifier;
	bool padded; /* rows are longer than the picture, which not all drivers bear */
	bool works, refused;
	bool said; /* that none could be made, which may be different for another size */
};

static struct layout *find_layout(uint32_t fourcc, uint64_t modifier, bool padded)
{
	static struct layout layouts[LAYOUTS_MAX];
	static unsigned n_layouts;
	for (unsigned i = 0; i < n_layouts; i++) {
		if (layouts[i].fourcc == fourcc && layouts[i].modifier == modifier &&
			layouts[i].padded == padded)
			return &layouts[i];
	}
	/* No driver has so many layouts; past LAYOUTS_MAX the last place is shared. */
	struct layout *layout = &layouts[MIN(n_layouts, LAYOUTS_MAX - 1)];
	n_layouts = MIN(n_layouts + 1, LAYOUTS_MAX);
	*layout = (struct layout){ .fourcc = fourcc, .modifier = modifier, .padded = padded };
	return layout;
}

static bool is_padded(uint32_t width, uint64_t modifier)
{
	return modifier == DRM_FORMAT_MOD_LINEAR && egl_gbm_pad(width) != width;
}

static struct layout *layout_of(const struct egl_gbm_buffer *gbm)
{
	return find_layout(gbm->fourcc, gbm->modifier, is_padded(gbm->width, gbm->modifier));
}

static void say(const struct layout *layout, const char *what, const char *fault)
{
	g_message("scanout: GPU buffers of %.4s with modifier 0x%" G_GINT64_MODIFIER "x%s %s: %s",
		(const char *)&layout->fourcc, layout->modifier,
		layout->padded ? " and padded rows" : "", what, fault);
}

/* ---- choosing one ---- */

static bool wish_takes(const struct buffer_wish *wish, uint32_t fourcc, uint64_t modifier)
{
	for (unsigned i = 0; i < wish->n_formats; i++) {
		if (wish->formats[i].fourcc == fourcc && wish->formats[i].modifier == modifier)
			return true;
	}
	return false;
}

static unsigned common_modifiers(
	const struct buffer_wish *wish, uint32_t fourcc, uint64_t modifiers[EGL_GBM_MODIFIERS_MAX])
{
	unsigned n = egl_gbm_query_modifiers(fourcc, modifiers), kept = 0;
	for (unsigned i = 0; i < n; i++) {
		if (wish_takes(wish, fourcc, modifiers[i]) &&
			!find_layout(fourcc, modifiers[i], false)->refused)
			modifiers[kept++] = modifiers[i];
	}
	return kept;
}

/* Whoever takes a layout without a name finds out one that has a name only where it is linear. */
static bool wish_reads(const struct buffer_wish *wish, const struct egl_gbm_buffer *gbm)
{
	return gbm->modifier != DRM_FORMAT_MOD_INVALID || gbm->layout == DRM_FORMAT_MOD_INVALID ||
	       gbm->layout == DRM_FORMAT_MOD_LINEAR || wish_takes(wish, gbm->fourcc, gbm->layout);
}

static const char *find_fault(const struct buffer_wish *wish, struct egl_gbm_buffer *gbm)
{
	if (!wish_takes(wish, gbm->fourcc, gbm->modifier))
		return "the driver made something else";
	if (!wish_reads(wish, gbm))
		return "the driver made tiles, of which nobody would know";
	return layout_of(gbm)->works ? NULL : egl_gbm_buffer_check(gbm);
}

static struct egl_gbm_buffer *try_layouts(const struct buffer_wish *wish, uint32_t fourcc,
	uint32_t width, uint32_t height, const uint64_t *modifiers, unsigned n)
{
	const char *fault = NULL;
	struct layout *layout = find_layout(fourcc, modifiers[0], is_padded(width, modifiers[0]));
	if (n == 1 && layout->refused)
		return NULL;
	struct egl_gbm_buffer *gbm =
		egl_gbm_buffer_create(width, height, fourcc, modifiers, n, &fault);
	if (!gbm) {
		if (!layout->said)
			say(layout, "could not be made", fault);
		layout->said = true;
		return NULL;
	}
	fault = find_fault(wish, gbm);
	layout = n == 1 ? layout : layout_of(gbm);
	layout->works = !fault;
	if (!fault)
		return gbm;
	layout->refused = true;
	say(layout, "are not used", fault);
	egl_gbm_buffer_destroy(gbm);
	return NULL;
}

static struct egl_gbm_buffer *create_in_format(
	const struct buffer_wish *wish, uint32_t fourcc, uint32_t width, uint32_t height)
{
	static const uint64_t invalid = DRM_FORMAT_MOD_INVALID, linear = DRM_FORMAT_MOD_LINEAR;
	uint64_t modifiers[EGL_GBM_MODIFIERS_MAX];
	struct egl_gbm_buffer *gbm = NULL;
	unsigned n = common_modifiers(wish, fourcc, modifiers);
	if (n > 0)
		gbm = try_layouts(wish, fourcc, width, height, modifiers, n);
	if (!gbm && wish_takes(wish, fourcc, linear) && egl_gbm_draws_linear(fourcc))
		gbm = try_layouts(wish, fourcc, width, height, &linear, 1);
	if (!gbm && wish_takes(wish, fourcc, invalid))
		gbm = try_layouts(wish, fourcc, width, height, &invalid, 1);
	return gbm;
}

/* ---- the interface ---- */

static void gbm_destroy_buffer(struct buffer *buffer)
{
	struct gbm_data *data = buffer->data;
	fd_close(&buffer->fence_fd);
	fd_close(&data->ready_fd);
	virgl_enter_gl();
	egl_gbm_buffer_destroy(data->gbm);
	g_free(data);
	g_free(buffer);
}

static struct buffer *gbm_create_buffer(
	uint32_t width, uint32_t height, const struct buffer_wish *wish)
{
	virgl_enter_gl();
	struct egl_gbm_buffer *gbm = create_in_format(wish, wish->fourcc, width, height);
	if (!gbm && wish->fourcc != DRM_FORMAT_XRGB8888)
		gbm = create_in_format(wish, DRM_FORMAT_XRGB8888, width, height);
	if (!gbm)
		return NULL;
	struct gbm_data *data = g_new0(struct gbm_data, 1);
	data->gbm = gbm;
	data->ready_fd = -1;
	struct buffer *buffer = g_new0(struct buffer, 1);
	buffer->data = data;
	buffer->fd = gbm->fd;
	buffer->fence_fd = -1;
	buffer->kind = FRAME_BUFFER_DMABUF;
	buffer->width = width;
	buffer->height = height;
	buffer->stride_bytes = gbm->stride_bytes;
	buffer->fourcc = gbm->fourcc;
	buffer->modifier = gbm->modifier;
	buffer->offset_bytes = gbm->offset_bytes;
	buffer->size_bytes = gbm->size_bytes;
	return buffer;
}

static bool gbm_copy_texture(struct buffer *buffer, const struct texture *texture,
	const struct rect *rect, uint32_t x, uint32_t y)
{
	const struct gbm_data *data = buffer->data;
	return blit_texture(texture, rect, data->gbm->gl_framebuffer, x, y);
}

/* Makes the fence. A sync file travels with the frame; anything else is waited for here. */
static int gbm_submit(struct buffer *buffer)
{
	struct gbm_data *data = buffer->data;
	fd_close(&buffer->fence_fd);
	fd_close(&data->ready_fd);
	int fd = egl_fence_create();
	if (!egl_fence_is_native())
		data->ready_fd = fd;
	else
		buffer->fence_fd = fd;
	return data->ready_fd;
}

static bool gbm_complete(struct buffer *buffer)
{
	struct gbm_data *data = buffer->data;
	fd_close(&data->ready_fd);
	return true;
}

const struct buffer_interface buffer_gbm = {
	.name = "GBM",
	.row_step = EGL_GBM_LINEAR_STEP,
	.create = gbm_create_buffer,
	.destroy = gbm_destroy_buffer,
	.copy_texture = gbm_copy_texture,
	.submit = gbm_submit,
	.complete = gbm_complete,
};
