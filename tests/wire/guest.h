/* SPDX-License-Identifier: MIT */
/*
 * guest: a whole virtual machine as a GPU backend sees it. It has the vhost-user conversation,
 * memory, both queues and a driver that can be started, stopped, continued and loaded anew.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tests/wire/backend.h"
#include "tests/wire/front_end.h"
#include "tests/wire/gpu_socket.h"
#include "tests/wire/guest_memory.h"
#include "tests/wire/guest_queue.h"

/* QEMU gives its queues 256 and 16 entries (hw/display/virtio-gpu-base.c). */
#define GUEST_CONTROL_SIZE 256
#define GUEST_CURSOR_SIZE 16

/* QEMU 10 asks for these. */
#define GUEST_PROTOCOL_FEATURES                                                                    \
	(1u << VHOST_USER_PROTOCOL_F_MQ | 1u << VHOST_USER_PROTOCOL_F_REPLY_ACK |                  \
		1u << VHOST_USER_PROTOCOL_F_CONFIG | 1u << VHOST_USER_PROTOCOL_F_RESET_DEVICE |    \
		1u << VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS)

struct guest_options {
	const char *program;
	const char *const *arguments; /* NULL-terminated; may be NULL */
	char *directory;              /* taken over; NULL: made here */
	enum guest_memory_layout layout;
	uint64_t memory_bytes;    /* 0: 192 MiB */
	struct guest_shape shape; /* name NULL: direct */
	bool event_idx;
	bool virgl;                 /* accept VIRTIO_GPU_F_VIRGL */
	uint64_t protocol_features; /* 0: GUEST_PROTOCOL_FEATURES */
	int timeout_ms;             /* 0: 10 s; of every wait */
	gpu_socket_update_fn on_update;
	void *on_update_user;
};

struct guest {
	struct backend *backend;
	struct front_end fe;
	struct guest_memory *memory;
	struct guest_queue *control, *cursor;
	struct gpu_socket *gpu;
	struct guest_shape shape;
	bool event_idx, virgl, memory_told;
	bool eager; /* enables each ring as soon as it is described; QEMU waits for the last */
	uint64_t features; /* agreed */
	uint32_t num_capsets;
	uint16_t bases[2]; /* from the last guest_stop() */
	int timeout_ms;
	gpu_socket_update_fn on_update;
	void *on_update_user;
};

/* Makes a machine and loads its driver: it is ready for commands. */
struct guest *guest_create(const struct guest_options *options);
/* Makes a machine without a driver; features and protocol features are agreed. */
struct guest *guest_create_machine(const struct guest_options *options);
void guest_destroy(struct guest *guest);

/*
 * Does what follows the driver's DRIVER_OK: tells a GPU socket, features, memory and fresh rings.
 */
void guest_driver_start(struct guest *guest);
/* Resets the device and starts a new driver with the same rings emptied, as after a reboot. */
void guest_driver_reload(struct guest *guest);
/* Do what QEMU's `stop` and `cont` do. */
void guest_stop(struct guest *guest);
void guest_continue(struct guest *guest);
/* Hands the backend another GPU socket, as every (re)start does. */
void guest_renew_gpu_socket(struct guest *guest);
/* Tells the whole memory again, in the way that was agreed on. */
void guest_tell_memory(struct guest *guest);
