/* SPDX-License-Identifier: MIT */
/*
 * wrong_pixel: a renderer that breaks one pixel of every picture it hands back.
 *
 * It stands between a virtio-gpu device and virglrenderer on the *host*. Either it is preloaded
 * into QEMU, whose own virtio-gpu-gl calls these functions, or it is linked into a test build of
 * vitrine-render with --wrap (then WRAP is defined). After each transfer to the guest of at least
 * 32x32 texels it flips the lowest bits of one byte in the guest's memory. The truth checks of
 * vitrine-guest-check must find it.
 *
 * Transfers come in two ways: as a command of the virtio queue and, from Mesa 21 on with a
 * virglrenderer that offers it, as a command inside a submitted buffer.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>

#define EXPORT __attribute__((visibility("default")))
#define RESOURCES_MAX 65536

/* These stand in for virglrenderer.h, since this file stands in for the library. */
struct virgl_box {
	uint32_t x, y, z, w, h, d;
};
typedef int attach_fn(int handle, struct iovec *iov, int n_iov);
typedef void detach_fn(int handle, struct iovec **iov, int *n_iov);
typedef int read_fn(uint32_t handle, uint32_t context, uint32_t level, uint32_t stride,
	uint32_t layer_stride, struct virgl_box *box, uint64_t offset, struct iovec *iov,
	int n_iov);
typedef int submit_fn(void *commands, int context, int n_dwords);

/* These are the dwords of a COPY_TRANSFER3D (virgl_protocol.h), its header first. */
enum copy_transfer {
	COPY_TRANSFER =
		/*
		 * It is the lowest byte of the header, whose upper half is the length that follows.
		 */
	45,
	COPY_TRANSFER_LENGTH = 14,
	COPY_STRIDE = 4,
	COPY_WIDTH = 9,
	COPY_HEIGHT = 10,
	COPY_STAGING = 12, /* It names the resource whose backing is in the guest. */
	COPY_OFFSET = 13,
	COPY_FLAGS = 14,
	COPY_FLAG_FROM_HOST = 1 << 1,
};

#ifdef WRAP
#define NAME(name) __wrap_##name
extern attach_fn __real_virgl_renderer_resource_attach_iov;
extern read_fn __real_virgl_renderer_transfer_read_iov;
extern detach_fn __real_virgl_renderer_resource_detach_iov;
extern submit_fn __real_virgl_renderer_submit_cmd;
#define REAL(type, name) (&__real_##name)
#else
#define NAME(name) name
/* QEMU loads the library with a module, where RTLD_NEXT does not see it. */
#define REAL(type, name) ((type *)dlsym(dlopen("libvirglrenderer.so.1", RTLD_LAZY), #name))
#endif

attach_fn NAME(virgl_renderer_resource_attach_iov) EXPORT;
detach_fn NAME(virgl_renderer_resource_detach_iov) EXPORT;
read_fn NAME(virgl_renderer_transfer_read_iov) EXPORT;
submit_fn NAME(virgl_renderer_submit_cmd) EXPORT;

static struct {
	struct iovec *iov;
	int n_iov;
} backings[RESOURCES_MAX];

static void flip(struct iovec *iov, int n_iov, uint64_t offset)
{
	for (int i = 0; i < n_iov; i++) {
		if (offset < iov[i].iov_len) {
			((unsigned char *)iov[i].iov_base)[offset] ^= 0x17;
			return;
		}
		offset -= iov[i].iov_len;
	}
}

/* Flips the 20th pixel of the 12th row of a picture of 4 bytes a pixel, whatever its stride. */
static void flip_pixel(struct iovec *iov, int n_iov, uint64_t offset, uint32_t stride,
	uint32_t width, uint32_t height)
{
	if (iov && width >= 32 && height >= 32)
		flip(iov, n_iov, offset + 11u * (stride ? stride : width * 4) + 19u * 4);
}

int NAME(virgl_renderer_resource_attach_iov)(int handle, struct iovec *iov, int n_iov)
{
	if (handle > 0 && handle < RESOURCES_MAX) {
		backings[handle].iov = iov;
		backings[handle].n_iov = n_iov;
	}
	return REAL(attach_fn, virgl_renderer_resource_attach_iov)(handle, iov, n_iov);
}

void NAME(virgl_renderer_resource_detach_iov)(int handle, struct iovec **iov, int *n_iov)
{
	if (handle > 0 && handle < RESOURCES_MAX)
		backings[handle].iov = NULL;
	REAL(detach_fn, virgl_renderer_resource_detach_iov)(handle, iov, n_iov);
}

int NAME(virgl_renderer_transfer_read_iov)(uint32_t handle, uint32_t context, uint32_t level,
	uint32_t stride, uint32_t layer_stride, struct virgl_box *box, uint64_t offset,
	struct iovec *iov, int n_iov)
{
	int rc = REAL(read_fn, virgl_renderer_transfer_read_iov)(
		handle, context, level, stride, layer_stride, box, offset, iov, n_iov);
	if (rc == 0 && iov)
		flip_pixel(iov, n_iov, offset, stride, box->w, box->h);
	else if (rc == 0 && handle < RESOURCES_MAX)
		flip_pixel(backings[handle].iov, backings[handle].n_iov, offset, stride, box->w,
			box->h);
	return rc;
}

static void break_copy(const uint32_t *command)
{
	uint32_t staging = command[COPY_STAGING];
	if (!(command[COPY_FLAGS] & COPY_FLAG_FROM_HOST) || staging >= RESOURCES_MAX)
		return;
	flip_pixel(backings[staging].iov, backings[staging].n_iov, command[COPY_OFFSET],
		command[COPY_STRIDE], command[COPY_WIDTH], command[COPY_HEIGHT]);
}

int NAME(virgl_renderer_submit_cmd)(void *commands, int context, int n_dwords)
{
	int rc = REAL(submit_fn, virgl_renderer_submit_cmd)(commands, context, n_dwords);
	const uint32_t *at = commands, *end = at + n_dwords;
	while (rc == 0 && at < end) {
		uint32_t length = *at >> 16;
		if (length >= (uint32_t)(end - at))
			break;
		if ((*at & 0xff) == COPY_TRANSFER && length == COPY_TRANSFER_LENGTH)
			break_copy(at);
		at += 1 + length;
	}
	return rc;
}
