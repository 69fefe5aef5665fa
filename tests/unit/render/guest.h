/* SPDX-License-Identifier: MIT */
/*
 * guest: a guest's memory and its driver of one ring, in this process, for tests of a room without
 * the program around it. It has no threads and no kicks; the test takes the chains itself.
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
/* The memory from here to the end is free for the test. */
#define GUEST_DATA_ADDR (GUEST_ADDR + (1u << 20))
/* This many commands may be under way at once. */
#define GUEST_SLOTS 128

struct guest {
	uint8_t *bytes;
	int fd;
	uint16_t n_submitted;
};

void guest_init(struct guest *guest);
void guest_finish(struct guest *guest);
/* Returns a table with that memory at this address. The caller owns one reference. */
struct memory *guest_make_table(const struct guest *guest, uint64_t guest_addr);
/* Fills in what a keeper says of that memory and of the ring in it. */
void guest_describe(const struct guest *guest, struct keeper_memory_region *region,
	struct keeper_ring_start *start);
/* Makes the driver begin anew with an empty ring. */
void guest_clear_ring(struct guest *guest);
/* Returns the command that creates a square resource of 32-bit pixels; `side` is in pixels. */
struct virtio_gpu_resource_create_2d guest_make_create_2d(uint32_t id, uint32_t side);
/* Starts a fresh ring, and gives the queue a table of the memory that holds it. */
void guest_start_ring(struct guest *guest, struct virtqueue *vq);
void *guest_at(const struct guest *guest, uint64_t guest_addr);
/* Puts a command into the ring. Returns its slot; slots come again after GUEST_SLOTS commands. */
unsigned guest_submit(
	struct guest *guest, const void *request, size_t request_bytes, size_t answer_bytes);
/* Does the same with a request that lies at an address of the test's choice. */
unsigned guest_submit_at(
	struct guest *guest, uint64_t request_addr, size_t request_bytes, size_t answer_bytes);
unsigned guest_count_used(const struct guest *guest);
/* Returns the slot that was answered as the n-th, counted from 0. */
unsigned guest_get_used(const struct guest *guest, unsigned n);
const void *guest_answer(const struct guest *guest, unsigned slot);
uint32_t guest_answer_type(const struct guest *guest, unsigned slot);
