/* SPDX-License-Identifier: MIT */
/*
 * gpu_thread: works the control queue, drives virglrenderer and GL, and speaks to display, on a
 * thread of its own. Its loop decides what comes when (order.h).
 *
 * Each piece of its state belongs to one room: objects, scanouts, commands. What the main thread
 * hands over is on its way in handover.h. The calls below are the main thread's; but for
 * gpu_start() they return at once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "protocol/keeper_link.h"
#include "protocol/quotas.h"

struct cursor;
struct gpu;
struct ledger_book;
struct memory;
struct virtqueue;

struct gpu_options {
	bool virgl;
	const char *render_node; /* NULL: the CPU draws */
	bool hardware;           /* a node for which the CPU draws is of no use */
	bool no_pacing;          /* let guests outrun their heads */
	bool is_spare;           /* it may take time and memory now to be quick later */
	struct quota_limits quotas;
	/* A command in this context was refused. It is the gpu thread's call; NULL: nobody's. */
	void (*context_lost)(uint32_t context);
	/* So are its words of memory that QEMU does not share. */
	void (*trouble)(enum keeper_trouble trouble);
};

/*
 * Starts the thread and waits until virglrenderer and GL work. Returns NULL when they do not. The
 * verdict says what draws, or why nothing does. The options are copied, but not their strings. The
 * thread runs until the process ends.
 */
#define GPU_VERDICT_BYTES 256
struct gpu *gpu_start(const struct gpu_options *options, char verdict[GPU_VERDICT_BYTES]);
/* Returns how many capsets the guest may ask for; 0 without virgl. */
uint32_t gpu_count_capsets(const struct gpu *gpu);

/* The two return the control queue and the cursor, which lock themselves. */
struct virtqueue *gpu_get_control_queue(struct gpu *gpu);
struct cursor *gpu_get_cursor(struct gpu *gpu);
/* Wakes the gpu thread when a ring has started or stopped, or the cursor needs it. */
void gpu_wake(struct gpu *gpu);
/*
 * Sets the memory table for all that is taken from the control queue afterwards, and takes a
 * reference on it.
 */
void gpu_set_memory(struct gpu *gpu, struct memory *memory);
/* Takes the book over and rebuilds what it lists once there is memory. */
void gpu_set_ledger(struct gpu *gpu, struct ledger_book *book);
/* Takes the descriptor over. */
void gpu_set_frame_link(struct gpu *gpu, int fd);
/*
 * Sets with which mode head 0 begins, and the heads' refresh rate in millihertz; 0 leaves what
 * holds.
 */
void gpu_set_first_mode(struct gpu *gpu, uint32_t width, uint32_t height, uint32_t refresh_mhz);
/* Forgets every guest object before anything else is taken from the control queue. */
void gpu_reset(struct gpu *gpu);
/*
 * Through these three the gpu thread asks for the keeper link to be read to its end; see
 * handover.h.
 */
int gpu_get_ask_fd(const struct gpu *gpu);
unsigned gpu_take_request(struct gpu *gpu);
void gpu_keeper_read(struct gpu *gpu, unsigned request);
