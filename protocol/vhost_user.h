/* SPDX-License-Identifier: MIT */
/*
 * This is the wire layout of the messages that QEMU exchanges with a device backend. QEMU describes
 * it in docs/interop/vhost-user.rst and vhost-user-gpu.rst.
 *
 * The keeper and the test front end use it. It holds on little-endian hosts only, as all of Vitrine
 * does.
 */
#pragma once

#include <stdint.h>

#define VHOST_USER_VERSION 0x1u
#define VHOST_USER_FLAG_VERSION_MASK 0x3u
#define VHOST_USER_FLAG_REPLY 0x4u
#define VHOST_USER_FLAG_NEED_REPLY 0x8u

/* This feature bit opens the protocol features (vhost-user.rst, "Protocol features"). */
#define VHOST_USER_F_PROTOCOL_FEATURES 30

/* One SET_MEM_TABLE has at most this many regions (VHOST_MEMORY_BASELINE_NREGIONS). */
#define VHOST_USER_MEM_TABLE_MAX 8
#define VHOST_USER_CONFIG_MAX 256

enum vhost_user_protocol_feature {
	VHOST_USER_PROTOCOL_F_MQ = 0,
	VHOST_USER_PROTOCOL_F_LOG_SHMFD = 1,
	VHOST_USER_PROTOCOL_F_REPLY_ACK = 3,
	VHOST_USER_PROTOCOL_F_CONFIG = 9,
	VHOST_USER_PROTOCOL_F_RESET_DEVICE = 13,
	VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS = 15,
	VHOST_USER_PROTOCOL_F_STATUS = 16,
};

enum vhost_user_request {
	VHOST_USER_GET_FEATURES = 1,
	VHOST_USER_SET_FEATURES = 2,
	VHOST_USER_SET_OWNER = 3,
	VHOST_USER_RESET_OWNER = 4,
	VHOST_USER_SET_MEM_TABLE = 5,
	VHOST_USER_SET_LOG_BASE = 6,
	VHOST_USER_SET_LOG_FD = 7,
	VHOST_USER_SET_VRING_NUM = 8,
	VHOST_USER_SET_VRING_ADDR = 9,
	VHOST_USER_SET_VRING_BASE = 10,
	VHOST_USER_GET_VRING_BASE = 11,
	VHOST_USER_SET_VRING_KICK = 12,
	VHOST_USER_SET_VRING_CALL = 13,
	VHOST_USER_SET_VRING_ERR = 14,
	VHOST_USER_GET_PROTOCOL_FEATURES = 15,
	VHOST_USER_SET_PROTOCOL_FEATURES = 16,
	VHOST_USER_GET_QUEUE_NUM = 17,
	VHOST_USER_SET_VRING_ENABLE = 18,
	VHOST_USER_IOTLB_MSG = 22,
	VHOST_USER_GET_CONFIG = 24,
	VHOST_USER_SET_CONFIG = 25,
	VHOST_USER_GPU_SET_SOCKET = 33,
	VHOST_USER_RESET_DEVICE = 34,
	VHOST_USER_GET_MAX_MEM_SLOTS = 36,
	VHOST_USER_ADD_MEM_REG = 37,
	VHOST_USER_REM_MEM_REG = 38,
	VHOST_USER_SET_STATUS = 39,
	VHOST_USER_GET_STATUS = 40,
};

/*
 * The low bits of a SET_VRING_KICK, CALL or ERR payload are the ring; NO_FD says that no descriptor
 * comes with it.
 */
#define VHOST_USER_VRING_INDEX_MASK 0xffu
#define VHOST_USER_VRING_NO_FD 0x100u

struct vhost_user_header {
	uint32_t request;
	uint32_t flags;
	uint32_t size_bytes; /* of the payload that follows */
} __attribute__((packed));

struct vhost_user_vring_state {
	uint32_t index;
	uint32_t num;
} __attribute__((packed));

struct vhost_user_vring_addr {
	uint32_t index;
	uint32_t flags;
	uint64_t desc_user_addr;
	uint64_t used_user_addr;
	uint64_t avail_user_addr;
	uint64_t log_guest_addr;
} __attribute__((packed));

struct vhost_user_memory_region {
	uint64_t guest_addr;
	uint64_t size_bytes;
	uint64_t user_addr;
	uint64_t mmap_offset_bytes;
} __attribute__((packed));

struct vhost_user_memory {
	uint32_t n_regions;
	uint32_t padding;
	struct vhost_user_memory_region regions[VHOST_USER_MEM_TABLE_MAX];
} __attribute__((packed));

struct vhost_user_memory_single {
	uint64_t padding;
	struct vhost_user_memory_region region;
} __attribute__((packed));

struct vhost_user_config {
	uint32_t offset_bytes;
	uint32_t size_bytes;
	uint32_t flags;
	uint8_t data[VHOST_USER_CONFIG_MAX];
} __attribute__((packed));

struct vhost_user_log {
	uint64_t size_bytes;
	uint64_t offset_bytes;
} __attribute__((packed));

#define VHOST_USER_VRING_LOG 1u /* of an address: VHOST_VRING_F_LOG */

/* This is struct vhost_iotlb_msg of linux/vhost_types.h, padding and all. */
struct vhost_user_iotlb {
	uint64_t iova;
	uint64_t size_bytes;
	uint64_t user_addr;
	uint8_t permissions;
	uint8_t type;
	uint8_t padding[6];
} __attribute__((packed));

struct vhost_user_message {
	struct vhost_user_header header;
	union {
		uint64_t u64;
		struct vhost_user_vring_state state;
		struct vhost_user_vring_addr addr;
		struct vhost_user_memory memory;
		struct vhost_user_memory_single memory_single;
		struct vhost_user_config config;
		struct vhost_user_iotlb iotlb;
		struct vhost_user_log log;
	} payload;
} __attribute__((packed));

/* These go over the socket that VHOST_USER_GPU_SET_SOCKET brings (vhost-user-gpu.rst). */
enum vhost_user_gpu_request {
	VHOST_USER_GPU_GET_PROTOCOL_FEATURES = 1,
	VHOST_USER_GPU_SET_PROTOCOL_FEATURES = 2,
	VHOST_USER_GPU_GET_DISPLAY_INFO = 3,
	VHOST_USER_GPU_CURSOR_POS = 4,
	VHOST_USER_GPU_CURSOR_POS_HIDE = 5,
	VHOST_USER_GPU_CURSOR_UPDATE = 6,
	VHOST_USER_GPU_SCANOUT = 7,
	VHOST_USER_GPU_UPDATE = 8,
	VHOST_USER_GPU_DMABUF_SCANOUT = 9,
	VHOST_USER_GPU_DMABUF_UPDATE = 10,
	VHOST_USER_GPU_GET_EDID = 11,
};

struct vhost_user_gpu_scanout {
	uint32_t request; /* VHOST_USER_GPU_SCANOUT */
	uint32_t flags;
	uint32_t size_bytes; /* of what follows */
	uint32_t scanout;
	uint32_t width, height;
} __attribute__((packed));
