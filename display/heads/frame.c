/* SPDX-License-Identifier: MIT */
#include "display/heads/frame.h"

#include <errno.h>
#include <glib.h>
#include <drm_fourcc.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/rect.h"
#include "common/shm.h"

struct shared_buffer {
	int refs; /* atomic */
	uint32_t id;
	uint32_t width, height;
	uint32_t stride_bytes;
	size_t offset_bytes, size_bytes;
	uint8_t *memory;            /* NULL: a dma-buf */
	struct frame_dmabuf dmabuf; /* fd -1: memory */
};

/* Every sum below stays far under 64 bits once the sides and the stride are bounded. */
static const char *check_add(const struct frame_buffer_add *add)
{
	if (add->kind == FRAME_BUFFER_MEMFD && add->modifier != DRM_FORMAT_MOD_LINEAR)
		return "layout is not linear";
	if (add->kind == FRAME_BUFFER_MEMFD && add->fourcc != DRM_FORMAT_XRGB8888 &&
		add->fourcc != DRM_FORMAT_ARGB8888)
		return "format is neither XRGB8888 nor ARGB8888";
	if (add->kind == FRAME_BUFFER_DMABUF && add->offset_bytes != 0)
		return "a dma-buf that does not begin with the picture cannot be shown";
	if (add->kind != FRAME_BUFFER_MEMFD && add->kind != FRAME_BUFFER_DMABUF)
		return "neither a memfd nor a dma-buf";
	if (add->width == 0 || add->height == 0 || add->width > FRAME_SIZE_MAX ||
		add->height > FRAME_SIZE_MAX)
		return "a side is 0 or more than FRAME_SIZE_MAX";
	if (add->stride_bytes % RECT_PIXEL_BYTES != 0 ||
		add->stride_bytes < add->width * RECT_PIXEL_BYTES ||
		add->stride_bytes > FRAME_STRIDE_MAX)
		return "stride does not fit the width";
	if (add->size_bytes > FRAME_MAP_MAX)
		return "larger than FRAME_MAP_MAX";
	uint64_t needed = (uint64_t)add->stride_bytes * (add->height - 1) +
			  (uint64_t)add->width * RECT_PIXEL_BYTES;
	if (add->offset_bytes % RECT_PIXEL_BYTES != 0 || needed > add->size_bytes ||
		add->offset_bytes > add->size_bytes - needed)
		return "rows lie outside the object";
	return NULL;
}

struct shared_buffer *shared_buffer_create(const struct frame_buffer_add *add, int fd)
{
	const char *fault = check_add(add);
	if (fault) {
		g_warning("render: buffer %u (%ux%u, stride %u): %s", add->buffer, add->width,
			add->height, add->stride_bytes, fault);
		errno = EINVAL;
		return NULL;
	}
	bool dmabuf = add->kind == FRAME_BUFFER_DMABUF;
	uint8_t *memory = dmabuf ? NULL : shm_map(fd, add->size_bytes, false);
	int own_fd = dmabuf ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	if (!memory && own_fd < 0) {
		int error = errno;
		g_warning("render: buffer %u: cannot %s %" G_GUINT64_FORMAT " bytes: %s",
			add->buffer, dmabuf ? "keep" : "map", add->size_bytes, g_strerror(error));
		errno = error;
		return NULL;
	}
	struct shared_buffer *buffer = g_new0(struct shared_buffer, 1);
	buffer->refs = 1;
	buffer->id = add->buffer;
	buffer->width = add->width;
	buffer->height = add->height;
	buffer->stride_bytes = add->stride_bytes;
	buffer->offset_bytes = add->offset_bytes;
	buffer->size_bytes = add->size_bytes;
	buffer->memory = memory;
	buffer->dmabuf = (struct frame_dmabuf){ own_fd, add->stride_bytes, add->fourcc };
	return buffer;
}

static struct shared_buffer *ref(struct shared_buffer *buffer)
{
	g_assert(g_atomic_int_get(&buffer->refs) > 0);
	g_atomic_int_inc(&buffer->refs);
	return buffer;
}

void shared_buffer_unref(struct shared_buffer *buffer)
{
	if (!buffer || !g_atomic_int_dec_and_test(&buffer->refs))
		return;
	if (buffer->memory)
		shm_unmap(buffer->memory, buffer->size_bytes);
	if (buffer->dmabuf.fd >= 0)
		close(buffer->dmabuf.fd);
	g_free(buffer);
}

struct frame *frame_create(struct shared_buffer *buffer, const struct frame_present *message,
	uint32_t width, uint32_t height, frame_released released, void *user)
{
	if (width > buffer->width || height > buffer->height ||
		message->source_x > buffer->width - width ||
		message->source_y > buffer->height - height) {
		g_warning("render: head %u: %ux%u at %u,%u lies outside buffer %u (%ux%u)",
			message->head, width, height, message->source_x, message->source_y,
			buffer->id, buffer->width, buffer->height);
		return NULL;
	}
	bool dmabuf = buffer->dmabuf.fd >= 0;
	if (dmabuf && (width != buffer->width || height != buffer->height)) {
		g_warning("render: head %u: a part of dma-buf %u cannot be shown", message->head,
			buffer->id);
		return NULL;
	}
	size_t offset = buffer->offset_bytes + (size_t)message->source_y * buffer->stride_bytes +
			(size_t)message->source_x * RECT_PIXEL_BYTES;
	struct frame *frame = g_new0(struct frame, 1);
	frame->refs = 1;
	frame->buffer = ref(buffer);
	frame->head = message->head;
	frame->serial = message->serial;
	frame->flush_time_ns = message->flush_time_ns;
	frame->width = width;
	frame->height = height;
	frame->stride_bytes = buffer->stride_bytes;
	frame->dmabuf = dmabuf ? &buffer->dmabuf : NULL;
	frame->pixels = dmabuf ? NULL : buffer->memory + offset;
	frame->whole =
		!dmabuf && (size_t)buffer->stride_bytes * height <= buffer->size_bytes - offset;
	frame->released = released;
	frame->user = user;
	return frame;
}

struct frame *frame_ref(struct frame *frame)
{
	g_assert(g_atomic_int_get(&frame->refs) > 0);
	g_atomic_int_inc(&frame->refs);
	return frame;
}

void frame_unref(struct frame *frame)
{
	if (!frame || !g_atomic_int_dec_and_test(&frame->refs))
		return;
	uint32_t id = frame->buffer->id;
	shared_buffer_unref(frame->buffer);
	frame->released(frame->user, id, frame->head, frame->serial);
	g_free(frame);
}
