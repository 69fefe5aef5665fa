/* SPDX-License-Identifier: MIT */
#include "server/keeper/device.h"

#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

void device_init(struct device *device, bool virgl)
{
	*device = (struct device){
		.features_offered = DEVICE_F_VERSION_1 | DEVICE_F_RING_PACKED |
				    DEVICE_F_INDIRECT_DESC | DEVICE_F_EVENT_IDX |
				    DEVICE_F_PROTOCOL_FEATURES | DEVICE_F_EDID |
				    (virgl ? DEVICE_F_VIRGL : DEVICE_F_LOG_ALL),
		.protocol_offered = 1ull << VHOST_USER_PROTOCOL_F_MQ |
				    1ull << VHOST_USER_PROTOCOL_F_REPLY_ACK |
				    1ull << VHOST_USER_PROTOCOL_F_CONFIG |
				    1ull << VHOST_USER_PROTOCOL_F_RESET_DEVICE |
				    1ull << VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS |
				    (virgl ? 0 : 1ull << VHOST_USER_PROTOCOL_F_LOG_SHMFD),
		.log = -1,
	};
	for (unsigned i = 0; i < KEEPER_RINGS; i++) {
		struct device_ring *ring = &device->rings[i];
		ring->kick = ring->call = ring->error = -1;
	}
}

void device_set_fd(int *slot, int fd)
{
	if (*slot >= 0)
		close(*slot);
	*slot = fd;
}

void device_clear_memory(struct device *device)
{
	g_assert(device->n_regions <= KEEPER_MEMORY_REGIONS_MAX);
	for (unsigned i = 0; i < device->n_regions; i++)
		close(device->regions[i].fd);
	device->n_regions = 0;
}

void device_finish(struct device *device)
{
	device_clear_memory(device);
	device_set_fd(&device->log, -1);
	for (unsigned i = 0; i < KEEPER_RINGS; i++) {
		device_set_fd(&device->rings[i].kick, -1);
		device_set_fd(&device->rings[i].call, -1);
		device_set_fd(&device->rings[i].error, -1);
	}
}

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a <= b ? b - a < a_size : a - b < b_size;
}

static const char *check_region(const struct device *device, const struct device_region *region)
{
	if (device->n_regions == KEEPER_MEMORY_REGIONS_MAX)
		return "too many memory regions";
	uint64_t size = region->size_bytes;
	if (size == 0)
		return "memory region of no size";
	if (size - 1 > UINT64_MAX - region->guest_addr ||
		size - 1 > UINT64_MAX - region->user_addr || size > INT64_MAX ||
		region->offset_bytes > (uint64_t)INT64_MAX - size)
		return "memory region wraps around";
	struct stat st;
	if (fstat(region->fd, &st) < 0)
		return "memory region's descriptor cannot be examined";
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size < region->offset_bytes + size)
		return "memory region is longer than the file behind it";
	for (unsigned i = 0; i < device->n_regions; i++) {
		const struct device_region *other = &device->regions[i];
		if (overlap(region->guest_addr, size, other->guest_addr, other->size_bytes) ||
			overlap(region->user_addr, size, other->user_addr, other->size_bytes))
			return "memory regions overlap";
	}
	return NULL;
}

const char *device_add_region(struct device *device, const struct device_region *region)
{
	g_assert(region->fd >= 0);
	const char *reason = check_region(device, region);
	if (reason)
		close(region->fd);
	else
		device->regions[device->n_regions++] = *region;
	return reason;
}

bool device_remove_region(struct device *device, const struct device_region *region)
{
	for (unsigned i = 0; i < device->n_regions; i++) {
		struct device_region *other = &device->regions[i];
		if (other->guest_addr != region->guest_addr ||
			other->user_addr != region->user_addr ||
			other->size_bytes != region->size_bytes)
			continue;
		close(other->fd);
		*other = device->regions[--device->n_regions];
		return true;
	}
	return false;
}

const char *device_name_driver(const struct device *device)
{
	if (device->features & DEVICE_F_VIRGL)
		return "virgl";
	return device->features & DEVICE_F_EDID ? "2d" : "firmware";
}

bool device_is_packed(const struct device *device)
{
	return device->features & DEVICE_F_RING_PACKED;
}

bool device_ring_runnable(const struct device *device, unsigned index)
{
	g_assert(index < KEEPER_RINGS);
	const struct device_ring *ring = &device->rings[index];
	/*
	 * The guest chooses the size. One that is no power of two makes no split ring (virtio 1.2,
	 * 2.7).
	 */
	bool size_ok = ring->have_size &&
		       (device_is_packed(device) || (ring->size & (ring->size - 1)) == 0);
	return ring->started && ring->enabled && size_ok && ring->have_addr && ring->kick >= 0 &&
	       device->have_features && device->n_regions > 0 &&
	       !(device->features & DEVICE_F_ACCESS_PLATFORM);
}

static bool is_shared(const struct device *device, uint64_t user_addr)
{
	for (unsigned i = 0; i < device->n_regions; i++) {
		const struct device_region *region = &device->regions[i];
		if (user_addr >= region->user_addr &&
			user_addr - region->user_addr < region->size_bytes)
			return true;
	}
	return false;
}

unsigned device_find_trouble(const struct device *device, unsigned index)
{
	g_assert(index < KEEPER_RINGS);
	const struct device_ring *ring = &device->rings[index];
	if (!ring->started || !ring->enabled || !ring->have_addr || !device->have_features)
		return 0;
	if (device->features & DEVICE_F_ACCESS_PLATFORM)
		return KEEPER_TROUBLE_IOMMU;
	if (device->n_regions == 0)
		return KEEPER_TROUBLE_NO_MEMORY;
	return is_shared(device, ring->desc_user_addr) &&
			       is_shared(device, ring->avail_user_addr) &&
			       is_shared(device, ring->used_user_addr) ?
		       0 :
		       KEEPER_TROUBLE_RING_OUTSIDE;
}

void device_reset(struct device *device)
{
	device->have_features = false;
	device->features = 0;
	for (unsigned i = 0; i < KEEPER_RINGS; i++) {
		struct device_ring *ring = &device->rings[i];
		device_set_fd(&ring->kick, -1);
		ring->have_size = ring->have_addr = false;
		ring->enabled = ring->started = false;
		ring->next_avail = ring->next_used = 0;
	}
}
