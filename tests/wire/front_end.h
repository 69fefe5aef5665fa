/* SPDX-License-Identifier: MIT */
/*
 * front_end: QEMU's side of the vhost-user conversation with a GPU backend.
 *
 * Messages are sent in QEMU's order (docs/interop/vhost-user.rst and what QEMU does: GPU_SET_SOCKET
 * and GET_CONFIG come before SET_FEATURES and SET_MEM_TABLE). Functions that wait for an answer
 * abort the test when none comes in front_end.timeout_ms, and note how long it took. Those that
 * begin with try_ return false instead.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol/vhost_user.h"
#include "tests/wire/guest_memory.h"
#include "tests/wire/guest_queue.h"

/*
 * The ring's feature bits are those of virtio 1.2, 2.7.5.3 and 2.7.7, VERSION_1 that of section 6,
 * and the device's own those of linux/virtio_gpu.h.
 */
#define FRONT_END_F_VIRGL (UINT64_C(1) << 0)
#define FRONT_END_F_EDID (UINT64_C(1) << 1)
#define FRONT_END_F_INDIRECT (UINT64_C(1) << 28)
#define FRONT_END_F_EVENT_IDX (UINT64_C(1) << 29)
#define FRONT_END_F_PROTOCOL (UINT64_C(1) << VHOST_USER_F_PROTOCOL_FEATURES)
#define FRONT_END_F_VERSION_1 (UINT64_C(1) << 32)

struct front_end {
	int socket; /* not ours to close */
	int timeout_ms;
	uint64_t device_features;   /* what the backend offers */
	uint64_t protocol_features; /* what was agreed */
	uint64_t queue_num, max_mem_slots;
	gint64 slowest_answer_us; /* since it was last set to 0 */
};

void front_end_init(struct front_end *fe, int socket, int timeout_ms);

/* Sends one message. `payload` may be NULL with 0 bytes. */
bool front_end_try_send(struct front_end *fe, uint32_t request, uint32_t flags, const void *payload,
	uint32_t payload_bytes, const int *fds, unsigned n_fds);
void front_end_send(struct front_end *fe, uint32_t request, const void *payload,
	uint32_t payload_bytes, const int *fds, unsigned n_fds);
/*
 * Receives the next message from the backend. Returns false at end of file, on an error and when
 * the limit passed.
 */
bool front_end_try_receive(struct front_end *fe, struct vhost_user_message *message);
/* Sends the request and waits for its answer. */
void front_end_ask(struct front_end *fe, uint32_t request, const void *payload,
	uint32_t payload_bytes, const int *fds, unsigned n_fds, struct vhost_user_message *answer);
uint64_t front_end_ask_u64(struct front_end *fe, uint32_t request);
/* Sends with NEED_REPLY when REPLY_ACK was agreed and then expects the backend to say 0. */
void front_end_send_acked(struct front_end *fe, uint32_t request, const void *payload,
	uint32_t payload_bytes, const int *fds, unsigned n_fds);

/*
 * Does what QEMU does when it makes the device: agrees on features and protocol features, sets the
 * owner.
 */
void front_end_negotiate(struct front_end *fe, uint64_t protocol_features_wanted);
void front_end_set_features(struct front_end *fe, uint64_t features);
/* Reads the first size_bytes of the device's configuration space. */
void front_end_get_config(struct front_end *fe, void *config, uint32_t size_bytes);
void front_end_set_gpu_socket(struct front_end *fe, int fd);

void front_end_set_memory(struct front_end *fe, const struct guest_memory *memory);
void front_end_add_memory(struct front_end *fe, const struct guest_memory_region *region);
void front_end_remove_memory(struct front_end *fe, const struct guest_memory_region *region);

/* Tells everything about a ring up to its kick descriptor; it does not run before it is enabled. */
void front_end_ring_start(struct front_end *fe, const struct guest_queue *queue, uint16_t base);
void front_end_ring_enable(struct front_end *fe, unsigned ring, bool enable);
void front_end_ring_call(struct front_end *fe, unsigned ring, int fd);
/* Stops the ring with GET_VRING_BASE; returns the index of the next entry to take. */
uint16_t front_end_ring_stop(struct front_end *fe, unsigned ring);
