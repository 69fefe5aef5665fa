/* SPDX-License-Identifier: MIT */
/*
 * virtgpu speaks the kernel driver's ioctls directly.
 *
 * It uses the kernel's headers only, so that the driver can be asked on a guest without libdrm or
 * Mesa, and so that a fault below Mesa is told from one inside it. All functions take an open
 * render or card node and give 0 or -errno.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "guest-tools/check/guest.h"

/* A buffer is a 3D resource with guest memory behind it, of 32 bits a pixel. */
struct virtgpu_buffer {
	uint32_t handle;
	uint32_t width, height;
	size_t size_bytes;
	uint32_t *pixels;
};

int virtgpu_open(const char *path);
int virtgpu_get_param(int fd, enum guest_param param, uint64_t *value);
/* Reads a capset of the host. Capset 1 is virgl and 2 is virgl2 (virgl_hw.h). */
int virtgpu_get_caps(int fd, uint32_t capset, uint32_t version, void *data, uint32_t size_bytes);

int virtgpu_buffer_init(struct virtgpu_buffer *buffer, int fd, uint32_t width, uint32_t height);
void virtgpu_buffer_finish(struct virtgpu_buffer *buffer, int fd);
int virtgpu_to_host(int fd, const struct virtgpu_buffer *buffer);
int virtgpu_from_host(int fd, const struct virtgpu_buffer *buffer);
/*
 * Waits until the host is done with the buffer, by asking again and again. Gives -ETIMEDOUT past
 * the limit.
 */
int virtgpu_wait(int fd, const struct virtgpu_buffer *buffer, int timeout_ms);
/*
 * Submits virgl commands. A sync file goes to `fence_fd`, which may be NULL; kernels before 5.0
 * have none and give -1.
 */
int virtgpu_submit(int fd, const uint32_t *commands, uint32_t size_bytes,
	const struct virtgpu_buffer *buffer, int *fence_fd);
