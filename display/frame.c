/* SPDX-License-Identifier: MIT */
#include "display/frame.h"

#include <errno.h>
#include <glib.h>
#include <drm_fourcc.h>

#include "protocol/shm.h"

#define BYTES_PER_PIXEL 4u

struct buffer {
	int refs; /* atomic */
	uint32_t id;
	uint32_t width, height;
	uint32_t stride_bytes;
	size_t offset_bytes, size_bytes;
	uint8_t *memory;
};

/* Every sum below stays far under 64 bits once the sides and the stride are bounded. */
static const char *check_add(const struct frame_buffer_add *add)
{
	if (add->kind != FRAME_BUFFER_MEMFD)
		return "only memfd buffers can be shown";
	if (add->fourcc != DRM_FORMAT_XRGB8888 && add->fourcc != DRM_FORMAT_ARGB8888)
		return "format is neither XRGB8888 nor ARGB8888";
	if (add->modifier != DRM_FORMAT_MOD_LINEAR)
		return "layout is not linear";
	if (add->width == 0 || add->height == 0 || add->width > FRAME_SIZE_MAX ||
			add->height > FRAME_SIZE_MAX)
		return "a side is 0 or more than FRAME_SIZE_MAX";
	if (add->stride_bytes % BYTES_PER_PIXEL != 0 ||
			add->stride_bytes < add->width * BYTES_PER_PIXEL ||
			add->stride_bytes > FRAME_STRIDE_MAX)
		return "stride does not fit the width";
	if (add->size_bytes > FRAME_MAP_MAX)
		return "larger than FRAME_MAP_MAX";
	uint64_t needed = (uint64_t)add->stride_bytes * (add->height - 1) +
			(uint64_t)add->width * BYTES_PER_PIXEL;
	if (add->offset_bytes % BYTES_PER_PIXEL != 0 || needed > add->size_bytes ||
			add->offset_bytes > add->size_bytes - needed)
		return "rows lie outside the object";
	return NULL;
}

struct buffer *buffer_create(const struct frame_buffer_add *add, int fd)
{
	const char *fault = check_add(add);
	if (fault) {
		g_warning("render: buffer %u (%ux%u, stride %u): %s", add->buffer, add->width,
				add->height, add->stride_bytes, fault);
		return NULL;
	}
	uint8_t *memory = shm_map(fd, add->size_bytes, false);
	if (!memory) {
		g_warning("render: buffer %u: cannot map %" G_GUINT64_FORMAT " bytes: %s",
				add->buffer, add->size_bytes, g_strerror(errno));
		return NULL;
	}
	struct buffer *buffer = g_new0(struct buffer, 1);
	buffer->refs = 1;
	buffer->id = add->buffer;
	buffer->width = add->width;
	buffer->height = add->height;
	buffer->stride_bytes = add->stride_bytes;
	buffer->offset_bytes = add->offset_bytes;
	buffer->size_bytes = add->size_bytes;
	buffer->memory = memory;
	return buffer;
}

struct buffer *buffer_ref(struct buffer *buffer)
{
	g_atomic_int_inc(&buffer->refs);
	return buffer;
}

void buffer_unref(struct buffer *buffer)
{
	if (!buffer || !g_atomic_int_dec_and_test(&buffer->refs))
		return;
	shm_unmap(buffer->memory, buffer->size_bytes);
	g_free(buffer);
}

uint32_t buffer_id(const struct buffer *buffer)
{
	return buffer->id;
}

struct frame *frame_create(struct buffer *buffer, const struct frame_frame *message, uint32_t width,
		uint32_t height, frame_released released, void *user)
{
	if (width > buffer->width || height > buffer->height ||
			message->source_x > buffer->width - width ||
			message->source_y > buffer->height - height) {
		g_warning("render: head %u: %ux%u at %u,%u lies outside buffer %u (%ux%u)",
				message->head, width, height, message->source_x, message->source_y,
				buffer->id, buffer->width, buffer->height);
		return NULL;
	}
	size_t offset = buffer->offset_bytes + (size_t)message->source_y * buffer->stride_bytes +
			(size_t)message->source_x * BYTES_PER_PIXEL;
	struct frame *frame = g_new0(struct frame, 1);
	frame->refs = 1;
	frame->buffer = buffer_ref(buffer);
	frame->head = message->head;
	frame->serial = message->serial;
	frame->width = width;
	frame->height = height;
	frame->stride_bytes = buffer->stride_bytes;
	frame->pixels = buffer->memory + offset;
	frame->whole = (size_t)buffer->stride_bytes * height <= buffer->size_bytes - offset;
	frame->released = released;
	frame->user = user;
	return frame;
}

struct frame *frame_ref(struct frame *frame)
{
	g_atomic_int_inc(&frame->refs);
	return frame;
}

void frame_unref(struct frame *frame)
{
	if (!frame || !g_atomic_int_dec_and_test(&frame->refs))
		return;
	uint32_t id = frame->buffer->id;
	buffer_unref(frame->buffer);
	frame->released(frame->user, id, frame->head, frame->serial);
	g_free(frame);
}
