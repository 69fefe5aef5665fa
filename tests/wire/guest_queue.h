/* SPDX-License-Identifier: MIT */
/*
 * guest_queue: the driver's side of one split virtqueue (virtio 1.2, 2.7).
 *
 * A shape says how a request's buffers are described: by one descriptor for each direction or by
 * pieces of a given size on pages that are not neighbours, in the ring or in an indirect table. One
 * thread uses a queue. Every wait has a limit; an answer that lies in the used ring although no
 * interrupt came for it aborts the test.
 */
#pragma once

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/wire/guest_memory.h"

struct guest_shape {
	const char *name;
	bool indirect;
	size_t piece_bytes; /* 0: whole buffers */
};

extern const struct guest_shape GUEST_SHAPE_DIRECT;
extern const struct guest_shape GUEST_SHAPE_INDIRECT;
extern const struct guest_shape GUEST_SHAPE_PIECES;          /* 4 KiB pieces in the ring */
extern const struct guest_shape GUEST_SHAPE_INDIRECT_PIECES; /* 4 KiB pieces in a table */
extern const struct guest_shape GUEST_SHAPE_CRUMBS;          /* 7 byte pieces in a table */

struct guest_request;

struct guest_queue {
	struct guest_memory *memory;
	unsigned index, size;
	struct guest_shape shape;
	bool event_idx;
	int kick_fd, call_fd;
	uint64_t desc_addr, avail_addr, used_addr; /* guest-physical */
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t free_head, n_free;
	uint16_t avail_index; /* next to publish */
	uint16_t kicked_index;
	uint16_t last_used;
	struct guest_request **requests; /* by descriptor head */
	uint64_t completions;
	uint64_t kicks, interrupts;
};

struct guest_request {
	struct guest_queue *queue;
	uint16_t head;
	bool done;
	uint64_t completed_as; /* 1 for the first request that this queue completed */
	uint32_t used_bytes;   /* as the device said */
	size_t response_bytes;
	uint8_t *response; /* copied out when done; response_bytes long */
	void *buffers;     /* GArray of struct guest_buffer */
	uint16_t *taken;   /* descriptors of the ring */
	unsigned n_taken;
};

struct guest_queue *guest_queue_create(struct guest_memory *memory, unsigned index, unsigned size,
	struct guest_shape shape, bool event_idx);
void guest_queue_destroy(struct guest_queue *queue);
/*
 * Does what a driver does at reset: forgets all requests and empties the rings. Requests stay
 * readable (done is false) until they are freed.
 */
void guest_queue_reset(struct guest_queue *queue);

/*
 * Publishes a request and kicks. Returns NULL when the ring has no room. A response of 0 bytes gets
 * no descriptor.
 */
struct guest_request *guest_queue_send(struct guest_queue *queue, const void *command,
	size_t command_bytes, size_t response_bytes);
/* Publishes a request without kicking. */
struct guest_request *guest_queue_add(struct guest_queue *queue, const void *command,
	size_t command_bytes, size_t response_bytes);
/*
 * Publishes descriptors exactly as given, for malformed chains: `chain` is copied to consecutive
 * free entries, with every `next` counted from the first.
 */
struct guest_request *guest_queue_add_raw(
	struct guest_queue *queue, const struct vring_desc *chain, unsigned n);
void guest_queue_kick(struct guest_queue *queue);

/* Returns false when the limit passed before the request was done. */
bool guest_queue_wait(struct guest_queue *queue, struct guest_request *request, int timeout_ms);
/* Takes the requests that are done, without waiting; returns how many. */
unsigned guest_queue_collect(struct guest_queue *queue);
/*
 * Takes the requests that are done or, if there are none, waits for an interrupt; returns how many.
 */
unsigned guest_queue_wait_any(struct guest_queue *queue, int timeout_ms);
void guest_request_free(struct guest_request *request);
