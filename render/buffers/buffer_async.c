/* SPDX-License-Identifier: MIT */
/*
 * Memfds can be filled without waiting: the GPU copies the wanted parts into a buffer object of its
 * own, in order with what the guest draws, and a fence tells when the CPU may fetch them. The
 * object is as large as the picture and parts follow each other in it, so little damage moves few
 * bytes.
 */
#include <epoxy/gl.h>
#include <glib.h>
#include <string.h>

#include "common/fd.h"
#include "render/gl/blit.h"
#include "render/buffers/buffer.h"
#include "render/gl/egl_fence.h"
#include "render/gl/virgl.h"

/*
 * A rectangle set has at most FRAME_RECTS_MAX rectangles, and two sets may have been copied before
 * one fence.
 */
#define PARTS_MAX (2 * FRAME_RECTS_MAX)

struct part {
	struct rect to;      /* in the buffer */
	size_t offset_bytes; /* in the object */
	bool bottom_up;
};

struct async_data {
	GLuint object;
	size_t used_bytes;
	unsigned n_parts;
	struct part parts[PARTS_MAX];
	int ready_fd;
};

static struct buffer *async_create_buffer(
	uint32_t width, uint32_t height, const struct buffer_wish *wish)
{
	struct buffer *buffer = buffer_memfd.create(width, height, wish);
	if (!buffer)
		return NULL;
	struct async_data *data = g_new0(struct async_data, 1);
	data->ready_fd = -1;
	buffer->data = data;
	return buffer;
}

static void async_destroy_buffer(struct buffer *buffer)
{
	struct async_data *data = buffer->data;
	fd_close(&data->ready_fd);
	if (data->object) {
		virgl_enter_gl();
		glDeleteBuffers(1, &data->object);
	}
	g_free(data);
	buffer_memfd.destroy(buffer);
}

static bool make_object(struct async_data *data, size_t size_bytes)
{
	GLint before;
	if (data->object)
		return true;
	glGetIntegerv(GL_PIXEL_PACK_BUFFER_BINDING, &before);
	glGenBuffers(1, &data->object);
	glBindBuffer(GL_PIXEL_PACK_BUFFER, data->object);
	while (glGetError() != GL_NO_ERROR)
		;
	glBufferData(GL_PIXEL_PACK_BUFFER, (GLsizeiptr)size_bytes, NULL, GL_STREAM_READ);
	bool ok = glGetError() == GL_NO_ERROR;
	glBindBuffer(GL_PIXEL_PACK_BUFFER, (GLuint)before);
	if (!ok) {
		glDeleteBuffers(1, &data->object);
		data->object = 0;
	}
	return ok;
}

/*
 * Copies on the GPU, but fetches at once what does not fit into the object, or when there is none.
 */
static bool async_copy_texture(struct buffer *buffer, const struct texture *texture,
	const struct rect *rect, uint32_t x, uint32_t y)
{
	struct async_data *data = buffer->data;
	size_t size_bytes = (size_t)rect->width * rect->height * 4;
	if (data->n_parts == PARTS_MAX || size_bytes > buffer->size_bytes - data->used_bytes ||
		!make_object(data, buffer->size_bytes))
		return buffer_memfd.copy_texture(buffer, texture, rect, x, y);
	if (!blit_texture_to_object(texture, rect, data->object, data->used_bytes))
		return false;
	data->parts[data->n_parts++] = (struct part){ { x, y, rect->width, rect->height },
		data->used_bytes, texture->bottom_up };
	data->used_bytes += size_bytes;
	return true;
}

static int async_submit(struct buffer *buffer)
{
	struct async_data *data = buffer->data;
	fd_close(&data->ready_fd);
	data->ready_fd = data->n_parts > 0 ? egl_fence_create() : -1;
	/* The drawing is over when no fence could be made, so the pixels are fetched now. */
	if (data->ready_fd < 0 && !buffer->interface->complete(buffer))
		g_warning("scanout: a picture was lost");
	return data->ready_fd;
}

static void fetch_part(struct buffer *buffer, const struct part *part, const uint8_t *object)
{
	const struct rect *to = &part->to;
	size_t row_bytes = (size_t)to->width * 4;
	const uint8_t *from = object + part->offset_bytes;
	for (uint32_t row = 0; row < to->height; row++) {
		uint32_t y = to->y + (part->bottom_up ? to->height - 1 - row : row);
		memcpy(buffer->pixels + (size_t)y * buffer->stride_bytes + (size_t)to->x * 4,
			from + row * row_bytes, row_bytes);
	}
}

static bool async_complete(struct buffer *buffer)
{
	struct async_data *data = buffer->data;
	GLint before;
	if (data->n_parts == 0)
		return true;
	glGetIntegerv(GL_PIXEL_PACK_BUFFER_BINDING, &before);
	glBindBuffer(GL_PIXEL_PACK_BUFFER, data->object);
	const uint8_t *object = glMapBufferRange(
		GL_PIXEL_PACK_BUFFER, 0, (GLsizeiptr)data->used_bytes, GL_MAP_READ_BIT);
	for (unsigned i = 0; object && i < data->n_parts; i++)
		fetch_part(buffer, &data->parts[i], object);
	bool ok = object && glUnmapBuffer(GL_PIXEL_PACK_BUFFER);
	glBindBuffer(GL_PIXEL_PACK_BUFFER, (GLuint)before);
	data->n_parts = 0;
	data->used_bytes = 0;
	fd_close(&data->ready_fd);
	return ok;
}

const struct buffer_interface buffer_memfd_async = {
	.name = "memfd, fetched from the GPU",
	.create = async_create_buffer,
	.destroy = async_destroy_buffer,
	.copy_texture = async_copy_texture,
	.submit = async_submit,
	.complete = async_complete,
};
