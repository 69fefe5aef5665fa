/* SPDX-License-Identifier: MIT */
/*
 * heartbeat_memory is the keeper's side of protocol/heartbeat.h. The keeper makes a page for each
 * worker, empties it before each process, and reads it while that runs and once it is dead.
 *
 * What is read is a copy that a worker can no longer change, with text that can be printed; the
 * numbers in it are still what a worker chose to write. Everything happens on the main thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocol/heartbeat.h"

struct heartbeat_memory {
	int fd; /* -1: none */
	struct heartbeat *map;
	uint32_t encoders_refused; /* the process is told so, and those from now on */
};

/* This is one beat as it was read. */
struct heartbeat_said {
	enum heartbeat_state state; /* one that the protocol does not know is UNUSED */
	uint64_t since_ns;
	uint32_t context;
	char what[HEARTBEAT_TEXT_BYTES]; /* printable */
};

enum heartbeat_encoder_use {
	HEARTBEAT_ENCODER_UNUSED,
	HEARTBEAT_ENCODER_TRIED, /* in its trial, when nothing else is at work */
	HEARTBEAT_ENCODER_AT_WORK_ON_GPU,
	HEARTBEAT_ENCODER_AT_WORK_ALONE, /* in software, and no other one is */
	HEARTBEAT_ENCODER_AT_WORK,       /* in software, and others are, too */
};

/* `name` is what /proc shows. One that was never initialized must be HEARTBEAT_MEMORY_NONE. */
bool heartbeat_memory_init(struct heartbeat_memory *memory, const char *name, GError **error);
#define HEARTBEAT_MEMORY_NONE ((struct heartbeat_memory){ .fd = -1 })
void heartbeat_memory_finish(struct heartbeat_memory *memory);

/* Refuses these of display's encoders (a bit for each) to its processes, also to one that waits. */
void heartbeat_memory_refuse_encoders(struct heartbeat_memory *memory, uint32_t encoders);
/* Forgets what the process before said. It is called while no process of this worker exists. */
void heartbeat_memory_clear(struct heartbeat_memory *memory);
/* Without memory every beat is UNUSED. */
struct heartbeat_said heartbeat_memory_read(
	const struct heartbeat_memory *memory, enum heartbeat_loop loop);
/*
 * Gives the name of the guilty context that the gpu thread named last, if that is no more; else
 * false. It may hold any bytes.
 */
bool heartbeat_memory_read_gone(
	const struct heartbeat_memory *memory, char name[HEARTBEAT_NAME_BYTES]);
/* Says what the process was at with one of display's encoders (below HEARTBEAT_ENCODERS). */
enum heartbeat_encoder_use heartbeat_memory_read_encoder(
	const struct heartbeat_memory *memory, unsigned encoder);
/* Gives how many RESETs this process says it has done; 0 without memory. */
uint64_t heartbeat_memory_read_resets(const struct heartbeat_memory *memory);
/* Gives whether it says that it has rebuilt; false without memory. */
bool heartbeat_memory_is_rebuilt(const struct heartbeat_memory *memory);
/* Gives with how much memory of its own this process says it waits; 0: it has not said so. */
uint64_t heartbeat_memory_read_own_kib(const struct heartbeat_memory *memory);
