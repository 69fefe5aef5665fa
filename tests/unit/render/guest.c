/* SPDX-License-Identifier: MIT */
#include "guest.h"

#include <linux/virtio_ring.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define USER_ADDR UINT64_C(0x7f0000000000)
#define RING_SIZE (2 * GUEST_SLOTS)
#define SLOT_BYTES 2048u
/* These are offsets in the memory. */
#define DESC 0u
#define AVAIL 0x1000u
#define USED 0x2000u
#define REQUESTS 0x10000u
#define ANSWERS 0x50000u

void guest_init(struct guest *guest)
{
	*guest = (struct guest){ .fd = memfd_create("guest", MFD_CLOEXEC) };
	g_assert_cmpint(ftruncate(guest->fd, GUEST_BYTES), ==, 0);
	guest->bytes = mmap(NULL, GUEST_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, guest->fd, 0);
	g_assert_true(guest->bytes != MAP_FAILED);
}

void guest_finish(struct guest *guest)
{
	munmap(guest->bytes, GUEST_BYTES);
	close(guest->fd);
}

struct memory *guest_make_table(const struct guest *guest, uint64_t guest_addr)
{
	struct memory *memory = memory_create();
	struct keeper_memory_region region = {
		.guest_addr = guest_addr, .user_addr = USER_ADDR, .size_bytes = GUEST_BYTES
	};
	g_assert_true(memory_add_region(memory, &region, guest->fd));
	return memory;
}

void guest_describe(const struct guest *guest, struct keeper_memory_region *region,
	struct keeper_ring_start *start)
{
	*region = (struct keeper_memory_region){
		.guest_addr = GUEST_ADDR, .user_addr = USER_ADDR, .size_bytes = GUEST_BYTES
	};
	*start = (struct keeper_ring_start){ .size = RING_SIZE,
		.desc_user_addr = USER_ADDR + DESC,
		.avail_user_addr = USER_ADDR + AVAIL,
		.used_user_addr = USER_ADDR + USED };
}

void guest_clear_ring(struct guest *guest)
{
	memset(guest->bytes, 0, REQUESTS);
	guest->n_submitted = 0;
}

struct virtio_gpu_resource_create_2d guest_make_create_2d(uint32_t id, uint32_t side)
{
	return (struct virtio_gpu_resource_create_2d){ .hdr.type =
							       VIRTIO_GPU_CMD_RESOURCE_CREATE_2D,
		.resource_id = id,
		.format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM,
		.width = side,
		.height = side };
}

void guest_start_ring(struct guest *guest, struct virtqueue *vq)
{
	struct keeper_memory_region region;
	struct keeper_ring_start start;
	struct memory *memory = guest_make_table(guest, GUEST_ADDR);
	guest_describe(guest, &region, &start);
	guest_clear_ring(guest);
	virtqueue_set_memory(vq, memory);
	memory_unref(memory);
	g_assert_true(virtqueue_start(vq, &start, eventfd(0, EFD_NONBLOCK), -1));
}

void *guest_at(const struct guest *guest, uint64_t guest_addr)
{
	return guest->bytes + (guest_addr - GUEST_ADDR);
}

unsigned guest_submit_at(
	struct guest *guest, uint64_t request_addr, size_t request_bytes, size_t answer_bytes)
{
	unsigned slot = guest->n_submitted % GUEST_SLOTS;
	uint16_t first = (uint16_t)(2 * slot);
	struct vring_desc *desc = (void *)(guest->bytes + DESC);
	struct vring_avail *avail = (void *)(guest->bytes + AVAIL);
	uint16_t next = answer_bytes > 0 ? VRING_DESC_F_NEXT : 0;
	memset(guest->bytes + ANSWERS + slot * SLOT_BYTES, 0, SLOT_BYTES);
	desc[first] = (struct vring_desc){ request_addr, (uint32_t)request_bytes, next,
		(uint16_t)(first + 1) };
	desc[first + 1] = (struct vring_desc){ GUEST_ADDR + ANSWERS + slot * SLOT_BYTES,
		(uint32_t)answer_bytes, VRING_DESC_F_WRITE, 0 };
	avail->ring[guest->n_submitted % RING_SIZE] = first;
	avail->idx = ++guest->n_submitted;
	return slot;
}

unsigned guest_submit(
	struct guest *guest, const void *request, size_t request_bytes, size_t answer_bytes)
{
	uint64_t addr = GUEST_ADDR + REQUESTS + guest->n_submitted % GUEST_SLOTS * SLOT_BYTES;
	memcpy(guest_at(guest, addr), request, request_bytes);
	return guest_submit_at(guest, addr, request_bytes, answer_bytes);
}

unsigned guest_count_used(const struct guest *guest)
{
	return ((const struct vring_used *)(guest->bytes + USED))->idx;
}

unsigned guest_get_used(const struct guest *guest, unsigned n)
{
	const struct vring_used *used = (void *)(guest->bytes + USED);
	g_assert_cmpuint(n, <, used->idx);
	return used->ring[n % RING_SIZE].id / 2;
}

const void *guest_answer(const struct guest *guest, unsigned slot)
{
	return guest->bytes + ANSWERS + slot * SLOT_BYTES;
}

uint32_t guest_answer_type(const struct guest *guest, unsigned slot)
{
	return ((const struct virtio_gpu_ctrl_hdr *)guest_answer(guest, slot))->type;
}
