/* SPDX-License-Identifier: MIT */
#include "guest-tools/check/virtgpu.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <drm.h>
#include <virtgpu_drm.h>

#include "guest-tools/common/descriptor.h"
#include "guest-tools/common/timing.h"

/* These numbers are those of virgl_hw.h and of gallium's p_defines.h. */
#define VIRGL_FORMAT_B8G8R8A8_UNORM 1
#define VIRGL_BIND_RENDER_TARGET (1u << 1)
#define PIPE_TEXTURE_2D 2

int virtgpu_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int virtgpu_get_param(int fd, enum guest_param param, uint64_t *value)
{
	assert(param < GUEST_PARAMS);
	/* The kernel writes only 32 bits of the 64. */
	*value = 0;
	struct drm_virtgpu_getparam request = { .param = param, .value = (uintptr_t)value };
	return descriptor_ioctl(fd, DRM_IOCTL_VIRTGPU_GETPARAM, &request);
}

int virtgpu_get_caps(int fd, uint32_t capset, uint32_t version, void *data, uint32_t size_bytes)
{
	struct drm_virtgpu_get_caps request = {
		.cap_set_id = capset,
		.cap_set_ver = version,
		.addr = (uintptr_t)data,
		.size = size_bytes,
	};
	memset(data, 0, size_bytes);
	return descriptor_ioctl(fd, DRM_IOCTL_VIRTGPU_GET_CAPS, &request);
}

static int map_buffer(struct virtgpu_buffer *buffer, int fd)
{
	struct drm_virtgpu_map map = { .handle = buffer->handle };
	int rc = descriptor_ioctl(fd, DRM_IOCTL_VIRTGPU_MAP, &map);
	if (rc < 0)
		return rc;
	void *memory = mmap(NULL, buffer->size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		(off_t)map.offset);
	if (memory == MAP_FAILED)
		return -errno;
	buffer->pixels = memory;
	return 0;
}

int virtgpu_buffer_init(struct virtgpu_buffer *buffer, int fd, uint32_t width, uint32_t height)
{
	struct drm_virtgpu_resource_create create = {
		.target = PIPE_TEXTURE_2D,
		.format = VIRGL_FORMAT_B8G8R8A8_UNORM,
		.bind = VIRGL_BIND_RENDER_TARGET,
		.width = width,
		.height = height,
		.depth = 1,
		.array_size = 1,
		.size = width * height * 4,
	};
	memset(buffer, 0, sizeof *buffer);
	int rc = descriptor_ioctl(fd, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &create);
	if (rc < 0)
		return rc;
	buffer->handle = create.bo_handle;
	buffer->width = width;
	buffer->height = height;
	buffer->size_bytes = (size_t)width * height * 4;
	rc = map_buffer(buffer, fd);
	if (rc < 0)
		virtgpu_buffer_finish(buffer, fd);
	return rc;
}

void virtgpu_buffer_finish(struct virtgpu_buffer *buffer, int fd)
{
	struct drm_gem_close close_request = { .handle = buffer->handle };
	if (buffer->pixels)
		munmap(buffer->pixels, buffer->size_bytes);
	if (buffer->handle)
		descriptor_ioctl(fd, DRM_IOCTL_GEM_CLOSE, &close_request);
	memset(buffer, 0, sizeof *buffer);
}

int virtgpu_to_host(int fd, const struct virtgpu_buffer *buffer)
{
	struct drm_virtgpu_3d_transfer_to_host transfer = {
		.bo_handle = buffer->handle,
		.box = { .w = buffer->width, .h = buffer->height, .d = 1 },
	};
	return descriptor_ioctl(fd, DRM_IOCTL_VIRTGPU_TRANSFER_TO_HOST, &transfer);
}

int virtgpu_from_host(int fd, const struct virtgpu_buffer *buffer)
{
	struct drm_virtgpu_3d_transfer_from_host transfer = {
		.bo_handle = buffer->handle,
		.box = { .w = buffer->width, .h = buffer->height, .d = 1 },
	};
	return descriptor_ioctl(fd, DRM_IOCTL_VIRTGPU_TRANSFER_FROM_HOST, &transfer);
}

int virtgpu_wait(int fd, const struct virtgpu_buffer *buffer, int timeout_ms)
{
	for (double end_ms = timing_now_ms() + timeout_ms;;) {
		struct drm_virtgpu_3d_wait wait = { .handle = buffer->handle,
			.flags = VIRTGPU_WAIT_NOWAIT };
		int rc = descriptor_ioctl(fd, DRM_IOCTL_VIRTGPU_WAIT, &wait);
		if (rc != -EBUSY)
			return rc;
		if (timing_now_ms() > end_ms)
			return -ETIMEDOUT;
		timing_sleep_ms(0.2);
	}
}

int virtgpu_submit(int fd, const uint32_t *commands, uint32_t size_bytes,
	const struct virtgpu_buffer *buffer, int *fence_fd)
{
	assert(size_bytes % sizeof *commands == 0);
	uint32_t handle = buffer ? buffer->handle : 0;
	struct drm_virtgpu_execbuffer execbuffer = {
		.flags = fence_fd ? VIRTGPU_EXECBUF_FENCE_FD_OUT : 0,
		.size = size_bytes,
		.command = (uintptr_t)commands,
		.bo_handles = buffer ? (uintptr_t)&handle : 0,
		.num_bo_handles = buffer ? 1 : 0,
		.fence_fd = -1,
	};
	int rc = descriptor_ioctl(fd, DRM_IOCTL_VIRTGPU_EXECBUFFER, &execbuffer);
	if (rc == -EINVAL && fence_fd) {
		execbuffer.flags = 0;
		execbuffer.fence_fd = -1;
		rc = descriptor_ioctl(fd, DRM_IOCTL_VIRTGPU_EXECBUFFER, &execbuffer);
	}
	if (fence_fd)
		*fence_fd = rc == 0 && execbuffer.flags ? execbuffer.fence_fd : -1;
	return rc;
}
