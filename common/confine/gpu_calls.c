/* SPDX-License-Identifier: MIT */
#include "common/confine/confine.h"

/* Linux 6.10; Debian's headers are older. */
#define DUPFD_QUERY 1027

/* An ioctl's type stands in its second byte (linux/ioctl.h). */
#define IOCTLS(type)                                                                               \
	{                                                                                          \
		.compare = CONFINE_EQUAL, .argument = 1, .mask = 0xff00,                           \
		.value = (uint64_t)(type) << 8                                                     \
	}

static const struct confine_call rows[] = {
	{ "ioctl", "DRM: every open driver (libdrm's drm.h; amdgpu, i915, xe, nouveau)",
		{ IOCTLS('d') } },
	{ "ioctl", "dma-buf: when its pixels are read or written by the CPU", { IOCTLS('b') } },
	{ "ioctl", "sync_file: fences are merged and asked", { IOCTLS('>') } },
	{ "fcntl", "Mesa from 25 on asks whether two descriptors are one file, or by kcmp",
		{ { .compare = CONFINE_EQUAL, .argument = 1, .value = DUPFD_QUERY } } },
	{ "kcmp", "radeonsi asks whether two of its own descriptors are one (KCMP_FILE)",
		{ { CONFINE_OWN_PID, 0 }, { CONFINE_OWN_PID, 1 },
			{ CONFINE_EQUAL, 2, UINT64_C(0xffffffff), 0 } } },
};

static const struct confine_call nvidia_rows[] = {
	{ "ioctl", "NVIDIA's own driver (nv-ioctl-numbers.h of its open modules)",
		{ IOCTLS('F') } },
	{ "ioctl", "its nvidia-modeset (nvkms-ioctl.h), which EGL asks for formats",
		{ IOCTLS('m') } },
};

/* These were not made by _IO(): they have no type, and few numbers. */
static const struct confine_call cuda_rows[] = {
	{ "ioctl", "CUDA's memory, nvidia-uvm (uvm_ioctl.h)",
		{ { CONFINE_EQUAL, 1, UINT64_C(0xffffff00), 0 } } },
	{ "ioctl", "the same: UVM_INITIALIZE and UVM_DEINITIALIZE (uvm_linux_ioctl.h)",
		{ { CONFINE_EQUAL, 1, UINT64_C(0xfffffffc), UINT64_C(0x30000000) } } },
};

const struct confine_calls confine_calls_gpu = { rows, G_N_ELEMENTS(rows) };
const struct confine_calls confine_calls_nvidia = { nvidia_rows, G_N_ELEMENTS(nvidia_rows) };
const struct confine_calls confine_calls_cuda = { cuda_rows, G_N_ELEMENTS(cuda_rows) };
