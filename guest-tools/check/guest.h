/* SPDX-License-Identifier: MIT */
/*
 * guest: what is known about the machine that the check runs in.
 *
 * Gathered once, by reading /sys, /proc and /dev and by asking the kernel's driver; checks judge
 * it. It lives in memory shared with the child processes that load Mesa, so that what they learn is
 * not lost when Mesa ends them. Plain data only, no pointers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "guest-tools/check/limits.h"

/* virtio 1.2, 5.7: the GPU is virtio device type 16; PCI id 0x1040 + 16. */
#define GUEST_VIRTIO_GPU_TYPE 16
#define GUEST_PCI_VENDOR_VIRTIO 0x1af4
#define GUEST_PCI_DEVICE_GPU 0x1050
/* Linux 4.4 brought virgl to the driver (merge of v4.4-rc1). */
#define GUEST_KERNEL_3D 4004

/* virtio 1.2, 5.7.3 */
enum guest_feature {
	GUEST_FEATURE_VIRGL = 0,
	GUEST_FEATURE_EDID = 1,
	GUEST_FEATURE_UUID = 2,
	GUEST_FEATURE_BLOB = 3,
	GUEST_FEATURE_CONTEXT_INIT = 4,
};

/* linux/include/uapi/drm/virtgpu_drm.h, VIRTGPU_PARAM_*; older headers end at 2. */
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

/* A display device on a bus, with or without a driver. */
struct guest_screen {
	char slot[64];
	char driver[32]; /* empty: none bound */
	unsigned vendor, device;
	bool boot_vga;
};

/* A DRM card. */
struct guest_card {
	char name[16];   /* card0 */
	char render[16]; /* renderD128, empty: none */
	char driver[32];
	char slot[64];
};

struct guest_params {
	int error; /* errno of GETPARAM 1: 0 when the driver answers at all */
	int param_error[GUEST_PARAMS];
	uint64_t value[GUEST_PARAMS];
};

/* Bits of guest_caps.capability_bits: VIRGL_CAP_COMPUTE_SHADER and VIRGL_CAP_HOST_IS_GLES. */
#define GUEST_CAPS_COMPUTE (1u << 7)
#define GUEST_CAPS_HOST_IS_GLES (1u << 19)

/* What the host's virglrenderer says of itself (virgl_hw.h, struct virgl_caps_v2). */
struct guest_caps {
	bool virgl, virgl2; /* which capsets were given */
	uint32_t max_version, glsl_level, max_samples, max_render_targets;
	uint32_t capability_bits, host_feature_version;
	uint32_t max_texture_2d;
	char renderer[65]; /* the host's GL_RENDERER; empty before virglrenderer 0.9 */
};

struct guest_gl {
	bool tried, display, context;
	bool software;      /* llvmpipe, softpipe, swrast */
	bool forced_away;   /* a variable keeps programs off virgl, even where GBM has it */
	char error[160];    /* what failed first */
	char cause[32];     /* its cause id, empty when nothing failed */
	char missing[64];   /* library or file that was not found */
	char renderer[128]; /* GL_RENDERER */
	char version[128];  /* GL_VERSION of desktop GL, else of ES */
	char es_version[128];
	char egl_vendor[64];
	int gl_major, gl_minor, es_major, es_minor;
	int mesa_major, mesa_minor;
};

struct guest {
	uid_t uid;
	bool root;
	bool hands_off; /* never take the display from whoever has it */
	char kernel[96];
	int kernel_version; /* 6001 for 6.1 */
	char command_line[2048];
	char os[128];
	char hypervisor[16]; /* "KVM", "TCG", "none" or what it calls itself */
	bool container;

	bool gpu_found;
	char gpu_bus[8];     /* "pci", "mmio" */
	char gpu_slot[64];   /* 0000:00:02.0 */
	char gpu_virtio[16]; /* virtio0, empty while the bus driver is missing */
	char gpu_driver[32]; /* of the virtio device */
	uint64_t gpu_features;

	size_t n_screens;
	struct guest_screen screens[GUEST_SCREENS_MAX];
	size_t n_cards;
	struct guest_card cards[GUEST_CARDS_MAX];
	int gpu_card; /* index into cards, -1: none */

	char card_path[64], render_path[64];
	int card_error, render_error; /* errno of open(), 0: it opens */
	char render_group[32]; /* whose members may open the render node; empty: no group may */
	char user[64];
	struct guest_params params;
	struct guest_caps caps;
	struct guest_gl gl;
};

/* Fills in everything but `gl`. Needs no rights; learns more with them. */
void guest_probe(struct guest *guest, bool hands_off);
/* Adds the driver's own answers, from the render node or else the card (guest_driver.c). */
void guest_probe_driver(struct guest *guest);
/* The virtio-gpu's card. Only for who knows that there is one: checks that need CHECK_NEEDS_CARD.
 */
const struct guest_card *guest_gpu_card(const struct guest *guest);
bool guest_has_feature(const struct guest *guest, enum guest_feature feature);
bool guest_is_slow(const struct guest *guest); /* TCG: time limits are stretched */
