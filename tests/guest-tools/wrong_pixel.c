/* SPDX-License-Identifier: MIT */
/*
 * wrong_pixel: a renderer that breaks one pixel of every picture it hands back.
 *
 * Stands between a virtio-gpu device and virglrenderer on the *host*: preloaded into QEMU, whose
 * own virtio-gpu-gl calls these functions, or linked into a test build of vitrine-render with
 * --wrap (then WRAP is defined). After each transfer to the guest of at least 32x32 texels it flips
 * the lowest bits of one byte in the guest's memory. vitrine-guest-check's truth must find it.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>

#define EXPORT __attribute__((visibility("default")))
#define RESOURCES_MAX 65536

/* virglrenderer.h; declared here since this file stands in for the library. */
struct virgl_box {
	uint32_t x, y, z, w, h, d;
};
typedef int attach_fn(int handle, struct iovec *iov, int n_iov);
typedef void detach_fn(int handle, struct iovec **iov, int *n_iov);
typedef int read_fn(uint32_t handle, uint32_t context, uint32_t level, uint32_t stride,
	uint32_t layer_stride, struct virgl_box *box, uint64_t offset, struct iovec *iov,
	int n_iov);

#ifdef WRAP
#define NAME(name) __wrap_##name
extern attach_fn __real_virgl_renderer_resource_attach_iov;
extern read_fn __real_virgl_renderer_transfer_read_iov;
extern detach_fn __real_virgl_renderer_resource_detach_iov;
#define REAL(type, name) (&__real_##name)
#else
#define NAME(name) name
/* QEMU loads the library with a module, out of sight of RTLD_NEXT. */
#define REAL(type, name) ((type *)dlsym(dlopen("libvirglrenderer.so.1", RTLD_LAZY), #name))
#endif

attach_fn NAME(virgl_renderer_resource_attach_iov) EXPORT;
detach_fn NAME(virgl_renderer_resource_detach_iov) EXPORT;
read_fn NAME(virgl_renderer_transfer_read_iov) EXPORT;

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
	if (rc != 0 || box->w < 32 || box->h < 32)
		return rc;
	/* The 20th pixel of the 12th row, whatever the stride; it lies inside the box. */
	uint64_t at = offset + 11u * (stride ? stride : box->w * 4) + 19u * 4;
	if (iov)
		flip(iov, n_iov, at);
	else if (handle < RESOURCES_MAX && backings[handle].iov)
		flip(backings[handle].iov, backings[handle].n_iov, at);
	return rc;
}
