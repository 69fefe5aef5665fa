/* SPDX-License-Identifier: MIT */
/*
 * device caches what QEMU has told us about the guest's GPU. Every answer to QEMU and everything
 * that a fresh renderer must know is read from here. It owns the descriptors in it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/keeper_link.h"
#include "protocol/vhost_user.h"

/*
 * These bits are from virtio 1.2, 6 "Reserved Feature Bits" and 5.7.3 "Feature bits" of the GPU
 * device.
 */
#define DEVICE_F_VIRGL (1ull << 0)
#define DEVICE_F_EDID (1ull << 1)
#define DEVICE_F_NOTIFY_ON_EMPTY (1ull << 24)
#define DEVICE_F_LOG_ALL (1ull << 26) /* of vhost, and none of the guest's */
#define DEVICE_F_ANY_LAYOUT (1ull << 27)
#define DEVICE_F_INDIRECT_DESC (1ull << 28)
#define DEVICE_F_EVENT_IDX (1ull << 29)
#define DEVICE_F_PROTOCOL_FEATURES (1ull << VHOST_USER_F_PROTOCOL_FEATURES)
#define DEVICE_F_VERSION_1 (1ull << 32)
#define DEVICE_F_ACCESS_PLATFORM (1ull << 33)
#define DEVICE_F_RING_PACKED (1ull << 34)
#define DEVICE_F_RING_RESET (1ull << 40)

struct device_region {
	uint64_t guest_addr, user_addr, size_bytes, offset_bytes;
	int fd;
};

struct device_ring {
	uint32_t size;
	uint64_t desc_user_addr, avail_user_addr, used_user_addr;
	/*
	 * This is where the ring goes on. While it runs in a renderer, the renderer knows better.
	 */
	uint16_t next_avail;
	uint16_t next_used;    /* of a packed ring; 0 of a split one */
	int kick, call, error; /* -1: none */
	bool have_size, have_addr;
	bool enabled;
	/* It is true from SET_VRING_KICK to GET_VRING_BASE. */
	bool started;
};

struct device {
	bool owned; /* SET_OWNER came */
	uint64_t features_offered;
	uint64_t protocol_offered;
	uint64_t features; /* accepted, F_PROTOCOL_FEATURES included */
	bool have_features;
	uint64_t protocol_features;
	struct device_region regions[KEEPER_MEMORY_REGIONS_MAX];
	unsigned n_regions;
	uint32_t first_width, first_height; /* of head 0, as QEMU was told; 0: not known yet */
	struct device_ring rings[KEEPER_RINGS];
	int log; /* of written memory; -1: QEMU has given none */
	uint64_t log_offset_bytes, log_size_bytes;
	/*
	 * The old driver has been forgotten since a ring last stopped. Once is enough for all
	 * rings.
	 */
	bool driver_forgotten;
};

void device_init(struct device *device, bool virgl);
void device_finish(struct device *device);

/* Takes region->fd in every case. Gives NULL, or the reason why the table would make no sense. */
const char *device_add_region(struct device *device, const struct device_region *region);

/* Removes the region with these addresses and this size, and gives false when there is none. */
bool device_remove_region(struct device *device, const struct device_region *region);
void device_clear_memory(struct device *device);

/* Gives "virgl", "2d", or "firmware" for a driver that knows no EDID, as Linux' do. */
const char *device_name_driver(const struct device *device);

/* Tells whether the driver's rings are packed (virtio 1.2, 2.8), and not split. */
bool device_is_packed(const struct device *device);

/* Tells whether the ring may run and everything is known that a renderer needs for it. */
bool device_ring_runnable(const struct device *device, unsigned ring);

/*
 * Gives an enum keeper_trouble, or 0: why a ring that QEMU has started cannot be served as QEMU was
 * started.
 */
unsigned device_find_trouble(const struct device *device, unsigned ring);

/*
 * Does what RESET_DEVICE asks for: rings are as new and no features are accepted, but memory and
 * call descriptors stay.
 */
void device_reset(struct device *device);

/* Replaces *slot and closes what was there. */
void device_set_fd(int *slot, int fd);
