/* SPDX-License-Identifier: MIT */
#include "render/buffers/buffer.h"

#include <drm_fourcc.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/shm.h"
#include "render/buffers/limits.h"
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

/* ---- in CPU memory ---- */

/* Sealed memory, and where it is mapped. */
struct pages {
	int fd; /* -1: none */
	uint8_t *map;
	size_t size_bytes;
};

#define NO_PAGES ((struct pages){ .fd = -1 })

static struct pages prepared = NO_PAGES;

static struct pages make_pages(size_t size_bytes)
{
	int fd = shm_create("vitrine-frame", size_bytes);
	if (fd < 0) {
		g_warning("buffer: %zu bytes: %s", size_bytes, g_strerror(-fd));
		return NO_PAGES;
	}
	uint8_t *map = shm_map(fd, size_bytes, true);
	if (!map) {
		g_warning("buffer: %zu bytes cannot be mapped", size_bytes);
		close(fd);
		return NO_PAGES;
	}
	return (struct pages){ fd, map, size_bytes };
}

void buffer_prepare(void)
{
	g_assert(prepared.fd < 0);
	prepared = make_pages(PREPARED_BYTES);
	if (prepared.fd >= 0)
		memset(prepared.map, 0, prepared.size_bytes);
}

/* Keeps as much of the mapping as is needed. */
static void cut_map(struct pages *pages, size_t size_bytes)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	size_t kept_bytes = (size_bytes + page_bytes - 1) / page_bytes * page_bytes;
	if (kept_bytes < pages->size_bytes)
		shm_unmap(pages->map + kept_bytes, pages->size_bytes - kept_bytes);
	pages->size_bytes = size_bytes;
}

/* A picture that is much smaller would keep what it does not need. */
static struct pages take_pages(size_t size_bytes)
{
	struct pages pages = prepared;
	prepared = NO_PAGES;
	if (size_bytes <= pages.size_bytes && size_bytes > pages.size_bytes / 2) {
		cut_map(&pages, size_bytes);
		return pages;
	}
	shm_unmap(pages.map, pages.size_bytes);
	fd_close(&pages.fd);
	return make_pages(size_bytes);
}

static struct buffer *memfd_create_buffer(
	uint32_t width, uint32_t height, const struct buffer_wish *wish)
{
	size_t size_bytes = (size_t)width * height * 4;
	struct pages pages = take_pages(size_bytes);
	if (pages.fd < 0)
		return NULL;
	struct buffer *buffer = g_new0(struct buffer, 1);
	buffer->fd = pages.fd;
	buffer->fence_fd = -1;
	buffer->kind = FRAME_BUFFER_MEMFD;
	buffer->width = width;
	buffer->height = height;
	buffer->stride_bytes = width * 4;
	buffer->fourcc = DRM_FORMAT_XRGB8888;
	buffer->modifier = DRM_FORMAT_MOD_LINEAR;
	buffer->size_bytes = size_bytes;
	buffer->pixels = pages.map;
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
