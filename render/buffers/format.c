/* SPDX-License-Identifier: MIT */
#include "render/buffers/format.h"

#include <drm_fourcc.h>
#include <glib.h>
#include <linux/virtio_gpu.h>

/* `from` says at which byte of the guest's pixel B, G, R and A are found; 4 means opaque. */
static const struct format {
	uint32_t format;
	uint8_t from[4];
} formats[] = {
	{ VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, { 0, 1, 2, 3 } },
	{ VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, { 0, 1, 2, 3 } },
	{ VIRTIO_GPU_FORMAT_A8R8G8B8_UNORM, { 3, 2, 1, 0 } },
	{ VIRTIO_GPU_FORMAT_X8R8G8B8_UNORM, { 3, 2, 1, 4 } },
	{ VIRTIO_GPU_FORMAT_R8G8B8A8_UNORM, { 2, 1, 0, 3 } },
	{ VIRTIO_GPU_FORMAT_X8B8G8R8_UNORM, { 1, 2, 3, 4 } },
	{ VIRTIO_GPU_FORMAT_A8B8G8R8_UNORM, { 1, 2, 3, 0 } },
	{ VIRTIO_GPU_FORMAT_R8G8B8X8_UNORM, { 2, 1, 0, 4 } },
};

static const struct format *find(uint32_t format)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++) {
		if (formats[i].format == format)
			return &formats[i];
	}
	return NULL;
}

bool format_is_known(uint32_t format)
{
	return find(format) != NULL;
}

bool format_is_native(uint32_t format)
{
	return format == VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM ||
	       format == VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM;
}

void format_convert(uint32_t format, uint8_t *pixels, uint64_t n_pixels)
{
	const struct format *f = find(format);
	if (!f || format_is_native(format))
		return;
	for (uint64_t i = 0; i < n_pixels; i++, pixels += 4) {
		const uint8_t in[5] = { pixels[0], pixels[1], pixels[2], pixels[3], 0xff };
		for (unsigned c = 0; c < 4; c++)
			pixels[c] = in[f->from[c]];
	}
}

/* The numbers are virgl_hw.h's, which no installed header has. */
static const struct {
	uint32_t virgl_format, fourcc;
} scanout_formats[] = {
	{ 1, DRM_FORMAT_XRGB8888 },      /* B8G8R8A8_UNORM */
	{ 2, DRM_FORMAT_XRGB8888 },      /* B8G8R8X8_UNORM */
	{ 3, DRM_FORMAT_XRGB8888 },      /* A8R8G8B8_UNORM */
	{ 4, DRM_FORMAT_XRGB8888 },      /* X8R8G8B8_UNORM */
	{ 7, DRM_FORMAT_XRGB8888 },      /* B5G6R5_UNORM */
	{ 8, DRM_FORMAT_XBGR2101010 },   /* R10G10B10A2_UNORM */
	{ 67, DRM_FORMAT_XBGR8888 },     /* R8G8B8A8_UNORM */
	{ 68, DRM_FORMAT_XRGB8888 },     /* X8B8G8R8_UNORM */
	{ 100, DRM_FORMAT_XRGB8888 },    /* B8G8R8A8_SRGB */
	{ 101, DRM_FORMAT_XRGB8888 },    /* B8G8R8X8_SRGB */
	{ 104, DRM_FORMAT_XBGR8888 },    /* R8G8B8A8_SRGB */
	{ 121, DRM_FORMAT_XRGB8888 },    /* A8B8G8R8_UNORM */
	{ 131, DRM_FORMAT_XRGB2101010 }, /* B10G10R10A2_UNORM */
	{ 134, DRM_FORMAT_XBGR8888 },    /* R8G8B8X8_UNORM */
	{ 233, DRM_FORMAT_XRGB2101010 }, /* B10G10R10X2_UNORM */
	{ 308, DRM_FORMAT_XBGR2101010 }, /* R10G10B10X2_UNORM */
};

uint32_t format_get_scanout_fourcc(uint32_t virgl_format)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(scanout_formats); i++) {
		if (scanout_formats[i].virgl_format == virgl_format)
			return scanout_formats[i].fourcc;
	}
	return 0;
}
