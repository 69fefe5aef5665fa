/* SPDX-License-Identifier: MIT */
/*
 * command: takes one command apart, has it handled, and answers it. It is for the files of this
 * room only.
 *
 * One table says for each type how long a command must be and who handles it. A handler returns the
 * type of the answer (VIRTIO_GPU_RESP_*) and may fill in an answer longer than a header. Sizes, ids
 * and offsets in a command are the guest's: nothing below trusts them. Only the gpu thread calls
 * it.
 */
#pragma once

#include <linux/virtio_gpu.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "render/commands/painters.h"
#include "render/objects/objects.h"
#include "render/ring/chain.h"

struct checker;
struct objects;
struct scanouts;
struct virtqueue;

/*
 * Only this room knows its members (commands.h). Handlers read them, and change each piece by its
 * functions.
 */
struct commands {
	struct objects *objects;
	struct scanouts *scanouts;
	bool virgl;
	struct virtqueue *queue;
	struct chain *parked; /* the next to be executed; NULL: none */
	struct answer_queue *answers;
	struct painters painters;
	struct checker *checker;
	bool ran_empty; /* the ring had nothing, since commands_settle() */
};

/* The fixed part of a command has at most these bytes (RESOURCE_CREATE_3D, CTX_CREATE). */
#define COMMAND_FIXED_MAX 128

struct command {
	const char *name;
	struct chain *chain;
	bool may_wait;     /* its handler may answer COMMAND_WAITS */
	uint64_t begun_ns; /* CLOCK_MONOTONIC; 0: it was not understood so far */
	union {
		struct virtio_gpu_ctrl_hdr header;
		uint8_t bytes[COMMAND_FIXED_MAX];
	} fixed;
	size_t fixed_bytes; /* read into `fixed`; more may follow in the chain */

	/*
	 * The handler sets these for an answer that is more than a header. It begins with one,
	 * which is filled in later.
	 */
	void *answer; /* NULL: a header is all */
	size_t answer_bytes;
	bool answer_is_heap; /* freed with g_free() */
};

/*
 * A handler returns this in place of an answer when the command names memory that is not in the
 * table. Nothing has been changed, and the command will be executed from its beginning when there
 * is a new table, before any other.
 */
#define COMMAND_WAITS OBJECTS_WAIT_FOR_MEMORY

typedef uint32_t (*command_handler)(struct commands *commands, struct command *command);

/* Executes the command. Returns the type of its answer, or COMMAND_WAITS if it may wait. */
uint32_t command_run(struct commands *commands, struct command *command);
/* Answers the command with that type and what its handler filled in. Takes the chain over. */
void command_answer(struct commands *commands, struct command *command, uint32_t type);
/*
 * Answers with an error a command that a dead renderer had taken. It does so at once, fenced or
 * not: an orphan is older than all that waits, and virtqueue_try_take_orphan() gives it again until
 * it is returned. Takes the chain over.
 */
void command_answer_lost(struct commands *commands, struct command *command);
/* Reads the header alone, for a command that is not executed. Returns false when there is none. */
bool command_read_header(struct command *command);

/* Reads what follows the fixed part. Returns false, which is logged, when there is less. */
bool command_read_rest(const struct command *command, void *to, size_t size_bytes);
/*
 * Logs what is wrong, with the command's name, as one line. `format` names the object. Returns
 * `type`.
 */
uint32_t command_refuse(const struct command *command, uint32_t type, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* These handlers are in command_2d.c. */
uint32_t command_get_display_info(struct commands *commands, struct command *command);
uint32_t command_get_edid(struct commands *commands, struct command *command);
uint32_t command_resource_create_2d(struct commands *commands, struct command *command);
uint32_t command_resource_unref(struct commands *commands, struct command *command);
uint32_t command_set_scanout(struct commands *commands, struct command *command);
uint32_t command_resource_flush(struct commands *commands, struct command *command);
uint32_t command_transfer_to_host_2d(struct commands *commands, struct command *command);
uint32_t command_attach_backing(struct commands *commands, struct command *command);
uint32_t command_detach_backing(struct commands *commands, struct command *command);

/* These handlers are in command_3d.c. */
uint32_t command_get_capset_info(struct commands *commands, struct command *command);
uint32_t command_get_capset(struct commands *commands, struct command *command);
uint32_t command_ctx_create(struct commands *commands, struct command *command);
uint32_t command_ctx_destroy(struct commands *commands, struct command *command);
uint32_t command_ctx_attach_resource(struct commands *commands, struct command *command);
uint32_t command_ctx_detach_resource(struct commands *commands, struct command *command);
uint32_t command_resource_create_3d(struct commands *commands, struct command *command);
uint32_t command_transfer_to_host_3d(struct commands *commands, struct command *command);
uint32_t command_transfer_from_host_3d(struct commands *commands, struct command *command);
uint32_t command_submit_3d(struct commands *commands, struct command *command);
