/* SPDX-License-Identifier: MIT */
/*
 * command: takes apart what arrives in the control queue and answers it.
 *
 * One table says for each type how long a command must be and who handles it. A handler returns the
 * type of the answer (VIRTIO_GPU_RESP_*) and may fill in an answer longer than a header. Sizes, ids
 * and offsets in a command are the guest's: nothing below trusts them. gpu thread only.
 */
#pragma once

#include <linux/virtio_gpu.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "render/objects/objects.h"
#include "render/ring/chain.h"

struct gpu;

/* Longest fixed part of a command (RESOURCE_CREATE_3D, CTX_CREATE). */
#define COMMAND_FIXED_MAX 128

struct command {
	const char *name;
	struct chain *chain;
	bool may_wait; /* its handler may answer COMMAND_WAITS */
	union {
		struct virtio_gpu_ctrl_hdr header;
		uint8_t bytes[COMMAND_FIXED_MAX];
	} fixed;
	size_t fixed_bytes; /* read into `fixed`; more may follow in the chain */

	/* An answer that is more than a header; it begins with one, which is filled in later. */
	void *answer; /* NULL: a header is all */
	size_t answer_bytes;
	bool answer_is_heap; /* freed with g_free() */
};

/*
 * In place of an answer: the command names memory that is not in the table. Nothing has been
 * changed, and it will be executed from its beginning when there is a new table, before any other.
 */
#define COMMAND_WAITS OBJECTS_WAIT_FOR_MEMORY

typedef uint32_t (*command_handler)(struct gpu *gpu, struct command *command);

/* The next command, one that was parked first. NULL: none. */
struct chain *command_take(struct gpu *gpu);
/*
 * Executes and answers a chain; takes it. False when it names memory that is not in the table and
 * may wait for a newer one: then it is parked, and nothing has been done.
 */
bool command_execute(struct gpu *gpu, struct chain *chain, bool may_wait);
/* Puts the chain taken last back in front of the queue. */
void command_park(struct gpu *gpu, struct chain *chain);
bool command_is_parked(const struct gpu *gpu);
/* The guest is new: what was parked is returned without an answer. */
void command_drop_parked(struct gpu *gpu);
/* Answers a chain that a dead renderer had taken, so that the guest does not wait; takes it. */
void command_answer_lost(struct gpu *gpu, struct chain *chain);

/* Reads what follows the fixed part. Returns false (logged) when there is less. */
bool command_read_rest(const struct command *command, void *to, size_t size_bytes);
/* One log line: which command, which object, what is wrong. Returns `type`. */
uint32_t command_refuse(const struct command *command, uint32_t type, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* command_2d.c */
uint32_t command_get_display_info(struct gpu *gpu, struct command *command);
uint32_t command_get_edid(struct gpu *gpu, struct command *command);
uint32_t command_resource_create_2d(struct gpu *gpu, struct command *command);
uint32_t command_resource_unref(struct gpu *gpu, struct command *command);
uint32_t command_set_scanout(struct gpu *gpu, struct command *command);
uint32_t command_resource_flush(struct gpu *gpu, struct command *command);
uint32_t command_transfer_to_host_2d(struct gpu *gpu, struct command *command);
uint32_t command_attach_backing(struct gpu *gpu, struct command *command);
uint32_t command_detach_backing(struct gpu *gpu, struct command *command);

/* command_3d.c */
uint32_t command_get_capset_info(struct gpu *gpu, struct command *command);
uint32_t command_get_capset(struct gpu *gpu, struct command *command);
uint32_t command_ctx_create(struct gpu *gpu, struct command *command);
uint32_t command_ctx_destroy(struct gpu *gpu, struct command *command);
uint32_t command_ctx_attach_resource(struct gpu *gpu, struct command *command);
uint32_t command_ctx_detach_resource(struct gpu *gpu, struct command *command);
uint32_t command_resource_create_3d(struct gpu *gpu, struct command *command);
uint32_t command_transfer_to_host_3d(struct gpu *gpu, struct command *command);
uint32_t command_transfer_from_host_3d(struct gpu *gpu, struct command *command);
uint32_t command_submit_3d(struct gpu *gpu, struct command *command);
