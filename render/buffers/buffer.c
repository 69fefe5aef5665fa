/* SPDX-License-Identifier: MIT */
#include "render/buffers/buffer.h"

#include <drm_fourcc.h>
#include <glib.h>
#include <unistd.h>

#include "common/shm.h"
#include "render/gl/egl.h"
#include "render/gl/readback.h"

struct buffer *buffer_create(const struct buffer_interface *interface, uint32_t width,
	uint32_t height, const struct buffer_wish *wish)
{
	if (width == 0 || height == 0 || width > FRAME_SIZE_MAX || height > FRAME_SIZE_MAX)
		return NULL;
	struct buffer *buffer = interface->create(width, height, wish);
	if (!buffer)
		return NULL;
	buffer->interface = interface;
	buffer->refs = 1;
	rect_set_add(&buffer->stale, &(struct rect){ 0, 0, width, height });
	return buffer;
}

struct buffer *buffer_ref(struct buffer *buffer)
{
	g_assert(buffer->refs > 0);
	buffer->refs++;
	return buffer;
}

void buffer_unref(struct buffer *buffer)
{
	if (!buffer)
		return;
	g_assert(buffer->refs > 0);
	if (--buffer->refs > 0)
		return;
	g_assert(buffer->locked == 0);
	if (buffer->on_destroy)
		buffer->on_destroy(buffer->on_destroy_user, buffer);
	buffer->interface->destroy(buffer);
}

static struct buffer *memfd_create_buffer(
	uint32_t width, uint32_t height, const struct buffer_wish *wish)
{
	size_t size_bytes = (size_t)width * height * 4;
	int fd = shm_create("vitrine-frame", size_bytes);
	if (fd < 0) {
		g_warning("buffer: %zu bytes: %s", size_bytes, g_strerror(-fd));
		return NULL;
	}
	uint8_t *pixels = shm_map(fd, size_bytes, true);
	if (!pixels) {
		g_warning("buffer: %zu bytes cannot be mapped", size_bytes);
		close(fd);
		return NULL;
	}
	struct buffer *buffer = g_new0(struct buffer, 1);
	buffer->fd = fd;
	buffer->fence_fd = -1;
	buffer->kind = FRAME_BUFFER_MEMFD;
	buffer->width = width;
	buffer->height = height;
	buffer->stride_bytes = width * 4;
	buffer->fourcc = DRM_FORMAT_XRGB8888;
	buffer->modifier = DRM_FORMAT_MOD_LINEAR;
	buffer->size_bytes = size_bytes;
	buffer->pixels = pixels;
	return buffer;
}

static void memfd_destroy_buffer(struct buffer *buffer)
{
	shm_unmap(buffer->pixels, buffer->size_bytes);
	close(buffer->fd);
	g_free(buffer);
}

static bool memfd_copy_texture(struct buffer *buffer, const struct texture *texture,
	const struct rect *rect, uint32_t x, uint32_t y)
{
	uint8_t *to = buffer->pixels + (size_t)y * buffer->stride_bytes + (size_t)x * 4;
	return readback_texture(texture, rect, to, buffer->stride_bytes);
}

const struct buffer_interface buffer_memfd = {
	.name = "memfd",
	.row_step = 1,
	.create = memfd_create_buffer,
	.destroy = memfd_destroy_buffer,
	.copy_texture = memfd_copy_texture,
};

/*
 * VITRINE_READBACK=aside or at-once has pictures fetched by a thread aside, or not. That is for
 * tests, which have no GPU, and for drivers that mislead.
 */
const struct buffer_interface *buffer_choose_for_cpu(const struct egl_choice *choice)
{
	const char *wanted = g_getenv("VITRINE_READBACK");
	bool aside = wanted ? g_str_equal(wanted, "aside") : !choice->software;
	return aside ? &buffer_memfd_async : &buffer_memfd;
}
