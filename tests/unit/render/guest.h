/* SPDX-License-Identifier: MIT */
/*
 * guest: a guest's memory and its driver of one ring, in this process: for tests of a room without
 * the program around it. No threads, no kicks; the test takes the chains itself.
 */
#pragma once

#include <glib.h>
#include <linux/virtio_gpu.h>
#include <stdbool.h>
#include <stdint.h>

#include "render/ring/memory.h"
#include "render/ring/virtqueue.h"

#define GUEST_ADDR UINT64_C(0x100000)
#define GUEST_BYTES (4u << 20)
/* Free for the test, to the end. */
#define GUEST_DATA_ADDR (GUEST_ADDR + (1u << 20))
/* Commands that may be under way at once. */
#define GUEST_SLOTS 128

struct guest {
	uint8_t *bytes;
	int fd;
	uint16_t n_submitted;
};

void guest_init(struct guest *guest);
void guest_finish(struct guest *guest);
/* A table of that memory at this address; one reference. */
struct memory *guest_make_table(const struct guest *guest, uint64_t guest_addr);
/* What a keeper says of that memory and of the ring in it. */
void guest_describe(const struct guest *guest, struct keeper_memory_region *region,
	struct keeper_ring_start *start);
/* The driver begins anew: the ring is empty. */
void guest_clear_ring(struct guest *guest);
/* The command for a square resource of 32-bit pixels; the side is in pixels. */
struct virtio_gpu_resource_create_2d guest_make_create_2d(uint32_t id, uint32_t side);
/* A fresh ring in it. The queue is given a table with it. */
void guest_start_ring(struct guest *guest, struct virtqueue *vq);
void *guest_at(const struct guest *guest, uint64_t guest_addr);
/* Puts a command into the ring. Returns its slot: after GUEST_SLOTS they come again. */
unsigned guest_submit(
	struct guest *guest, const void *request, size_t request_bytes, size_t answer_bytes);
/* The same; the request lies at an address of the test's choice. */
unsigned guest_submit_at(
	struct guest *guest, uint64_t request_addr, size_t request_bytes, size_t answer_bytes);
unsigned guest_count_used(const struct guest *guest);
/* The slot that was answered as the n-th, from 0. */
unsigned guest_get_used(const struct guest *guest, unsigned n);
const void *guest_answer(const struct guest *guest, unsigned slot);
uint32_t guest_answer_type(const struct guest *guest, unsigned slot);
