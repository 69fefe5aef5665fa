/* SPDX-License-Identifier: MIT */
#include "tests/unit/display/heads/frames.h"

#include <drm_fourcc.h>
#include <glib.h>
#include <unistd.h>

#include "common/shm.h"

void frames_init(
	struct frames *frames, uint32_t width, uint32_t height, uint32_t stride_bytes, bool tail)
{
	size_t size_bytes = (size_t)stride_bytes * (height - 1) + (tail ? stride_bytes : width * 4);
	struct frame_buffer_add add = {
		.buffer = 1,
		.kind = FRAME_BUFFER_MEMFD,
		.width = width,
		.height = height,
		.stride_bytes = stride_bytes,
		.fourcc = DRM_FORMAT_XRGB8888,
		.size_bytes = size_bytes,
	};
	int fd = shm_create("test", size_bytes);
	*frames = (struct frames){
		.width = width,
		.height = height,
		.stride_bytes = stride_bytes,
		.buffer = shared_buffer_create(&add, fd),
		.memory = shm_map(fd, size_bytes, true),
		.size_bytes = size_bytes,
	};
	close(fd);
	g_assert_nonnull(frames->buffer);
	g_assert_nonnull(frames->memory);
}

void frames_finish(struct frames *frames)
{
	g_assert_cmpuint(frames_held(frames), ==, 0);
	shared_buffer_unref(frames->buffer);
	shm_unmap(frames->memory, frames->size_bytes);
}

static void on_released(void *user, uint32_t buffer, uint32_t head, uint64_t serial)
{
	struct frames *frames = user;
	g_atomic_int_inc(&frames->released);
}

struct frame *frames_make(struct frames *frames, unsigned head, uint64_t serial)
{
	struct frame_present message = { .head = head, .buffer = 1, .serial = serial };
	frames->made++;
	return frame_create(
		frames->buffer, &message, frames->width, frames->height, on_released, frames);
}

unsigned frames_held(struct frames *frames)
{
	return frames->made - (unsigned)g_atomic_int_get(&frames->released);
}
