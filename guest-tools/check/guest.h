/* SPDX-License-Identifier: MIT */
/*
 * guest is what is known about the machine that the check runs in.
 *
 * guest_probe gathers it once: it reads /sys, /proc and /dev and asks the kernel's driver. The
 * checks judge it. It lives in memory shared with the child processes that load Mesa, so that what
 * they learn is not lost when Mesa ends them; so it holds plain data and no pointers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "guest-tools/check/limits.h"

/* The GPU is virtio device type 16 (virtio 1.2, 5.7), and its PCI id is 0x1040 + 16. */
#define GUEST_VIRTIO_GPU_TYPE 16
#define GUEST_PCI_VENDOR_VIRTIO 0x1af4
#define GUEST_PCI_DEVICE_GPU 0x1050
/* The first kernel with virgl in its driver is Linux 4.4. Versions read major * 1000 + minor. */
#define GUEST_KERNEL_3D 4004

/* The numbers of the features are those of virtio 1.2, 5.7.3. */
enum guest_feature {
	GUEST_FEATURE_VIRGL = 0,
	GUEST_FEATURE_EDID = 1,
	GUEST_FEATURE_UUID = 2,
	GUEST_FEATURE_BLOB = 3,
	GUEST_FEATURE_CONTEXT_INIT = 4,
};

/*
 * These are VIRTGPU_PARAM_* of linux/include/uapi/drm/virtgpu_drm.h. Old headers stop at 2, so they
 * are listed here.
 */
enum guest_param {
	GUEST_PARAM_3D_FEATURES = 1,
	GUEST_PARAM_CAPSET_QUERY_FIX = 2,
	GUEST_PARAM_RESOURCE_BLOB = 3,
	GUEST_PARAM_HOST_VISIBLE = 4,
	GUEST_PARAM_CROSS_DEVICE = 5,
	GUEST_PARAM_CONTEXT_INIT = 6,
	GUEST_PARAM_SUPPORTED_CAPSETS = 7,
	GUEST_PARAM_EXPLICIT_DEBUG_NAME = 8,
	GUEST_PARAMS = 9,
};

/* A screen is a display device on a bus, with or without a driver. */
struct guest_screen {
	char slot[64];
	char driver[32]; /* It is empty when no driver is bound. */
	unsigned vendor, device;
	bool boot_vga;
};

/* A card is what a DRM driver makes of a display device. */
struct guest_card {
	char name[16];   /* It reads card0 or so. */
	char render[16]; /* It reads renderD128 or so, and is empty when there is none. */
	char driver[32];
	char slot[64];
};

struct guest_params {
	int error; /* This is the errno of GETPARAM 1, so 0 when the driver answers at all. */
	int param_error[GUEST_PARAMS];
	uint64_t value[GUEST_PARAMS];
};

/*
 * Reports name these bits of capability_bits, which are VIRGL_CAP_COMPUTE_SHADER and
 * VIRGL_CAP_HOST_IS_GLES of virgl_hw.h.
 */
#define GUEST_CAPS_COMPUTE (1u << 7)
#define GUEST_CAPS_HOST_IS_GLES (1u << 19)

/* This is what the host's virglrenderer says of itself (virgl_hw.h, struct virgl_caps_v2). */
struct guest_caps {
	bool virgl, virgl2; /* They say which capsets the host gave. */
	uint32_t max_version, glsl_level, max_samples, max_render_targets;
	uint32_t capability_bits, host_feature_version;
	uint32_t max_texture_2d;
	/* This is the host's GL_RENDERER. Virglrenderer before 0.9 tells none. */
	char renderer[65];
};

struct guest_gl {
	bool tried, display, context;
	bool virgl;         /* The GPU is reached through virgl. */
	bool software;      /* The guest's own processor draws: llvmpipe, softpipe or swrast. */
	bool forced_away;   /* A variable keeps programs off virgl, even where GBM has it. */
	char error[160];    /* This failed first. */
	char cause[32];     /* This is its cause's id, or empty when nothing failed. */
	char missing[64];   /* This library or file was not found. */
	char renderer[128]; /* It is GL_RENDERER. */
	char version[128];  /* It is GL_VERSION of desktop GL, or else of ES. */
	char es_version[128];
	char egl_vendor[64];
	int gl_major, gl_minor, es_major, es_minor;
	int mesa_major, mesa_minor;
};

struct guest {
	uid_t uid;
	bool root;
	bool hands_off; /* The check must never take the display from whoever has it. */
	char kernel[96];
	int kernel_version; /* It is 6001 for Linux 6.1. */
	char command_line[2048];
	char os[128];
	/* It reads "KVM", "TCG", "none", or what the hypervisor calls itself. */
	char hypervisor[16];
	bool container;

	bool gpu_found;
	char gpu_bus[8];   /* It reads "pci" or "mmio". */
	char gpu_slot[64]; /* It reads 0000:00:02.0 or so. */
	/* It reads virtio0 or so, and is empty while the bus driver is missing. */
	char gpu_virtio[16];
	char gpu_driver[32]; /* This driver has the virtio device. */
	uint64_t gpu_features;

	size_t n_screens;
	struct guest_screen screens[GUEST_SCREENS_MAX];
	size_t n_cards;
	struct guest_card cards[GUEST_CARDS_MAX];
	int gpu_card; /* It is an index into cards, or -1 when the virtio-gpu has no card. */

	char card_path[64], render_path[64];
	int card_error, render_error; /* They are the errno of open(), or 0 when the node opens. */
	/* Its members may open the render node. It is empty when no group may. */
	char render_group[32];
	char user[64];
	struct guest_params params;
	struct guest_caps caps;
	struct guest_gl gl;
};

/* Fills in everything but `gl`. It needs no rights, and learns more with them. */
void guest_probe(struct guest *guest, bool hands_off);
/* Adds what the driver itself answers on the render node, or else on the card (guest_driver.c). */
void guest_probe_driver(struct guest *guest);
/*
 * Gives the virtio-gpu's card. There must be one: only checks that need CHECK_NEEDS_CARD may ask.
 */
const struct guest_card *guest_gpu_card(const struct guest *guest);
/* Names the group that may read and write a node, if there is one other than root. */
void guest_node_group(const char *path, char *out, size_t size);
bool guest_has_feature(const struct guest *guest, enum guest_feature feature);
/* Everything is emulated when the hypervisor is not KVM, so time limits are stretched. */
bool guest_is_slow(const struct guest *guest);
