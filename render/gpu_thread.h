/* SPDX-License-Identifier: MIT */
/*
 * gpu: everything that the gpu thread owns, and the thread itself.
 *
 * The gpu thread works the control queue, drives virglrenderer and GL, owns resources, contexts and
 * scanouts, and speaks to display. The main thread reaches it through the calls marked so below;
 * they hand something over and return at once.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "render/scanout/cursor.h"
#include "render/gl/egl.h"
#include "render/commands/answer_queue.h"
#include "render/scanout/frame_sender.h"
#include "render/scanout/modes.h"
#include "render/objects/ledger_book.h"
#include "render/handover.h"
#include "render/memory_wait.h"
#include "render/rebuild.h"
#include "render/scanout/pacing.h"
#include "render/commands/painters.h"
#include "render/buffers/quota.h"
#include "render/objects/resource.h"
#include "render/scanout/scanout.h"
#include "render/ring/virtqueue.h"

/* Most virgl contexts of one guest; the ledger has room for as many. */
#define GPU_CONTEXTS_MAX LEDGER_CONTEXTS_MAX

struct gpu_options {
	bool virgl;
	bool software;           /* force software rendering */
	const char *render_node; /* NULL: choose */
	bool fall_back;          /* to software when render_node does not work */
	bool no_pacing;          /* let guests outrun their heads */
	uint64_t quota_2d_bytes; /* limit for 2D resources and scanout buffers */
};

struct gpu {
	/* Set before the thread starts, constant afterwards. */
	struct gpu_options options;
	struct egl_choice choice;
	const struct buffer_interface *buffers; /* for pictures that the CPU reads */
	bool gpu_buffers;                       /* there are others as well (buffer_gbm) */
	struct virtqueue *control;
	struct cursor *cursor; /* shared with the main thread, locks itself */

	/* gpu thread only. */
	GHashTable *resources; /* id -> struct resource* */
	GHashTable *contexts;  /* id -> id */
	struct quota quota_2d, quota_3d;
	struct scanout scanouts[FRAME_HEADS_MAX];
	struct modes modes;
	struct answer_queue *answers;
	struct pacing pacing;
	struct painters painters;
	struct frame_sender *frames;
	struct ledger_book *ledger;
	struct memory *memory; /* the table in force; NULL before the first */
	struct rebuild rebuild;
	struct memory_wait wait; /* of the rebuild, or of the command that is parked */
	struct chain *parked;    /* the next to be executed; NULL: none */
	int fence_fd;            /* readable: virgl_poll(); -1: none */

	/* Shared with the main thread, locks itself. */
	struct handover *handover;

	/* The thread's start; the last two under the lock. */
	GThread *thread;
	GMutex lock;
	GCond started;
	bool start_done, start_ok;
};

/* ---- main thread ---- */

/*
 * Starts the thread and waits until virglrenderer and GL work. NULL (logged) when they do not. The
 * thread runs until the process ends.
 */
struct gpu *gpu_start(const struct gpu_options *options);
/* Capsets that the guest may ask for; 0 without virgl. */
uint32_t gpu_count_capsets(const struct gpu *gpu);
void gpu_wake(struct gpu *gpu);
/* Takes a reference. In force for everything taken from the control queue afterwards. */
void gpu_set_memory(struct gpu *gpu, struct memory *memory);
/* Takes the book over and rebuilds what it lists once there is memory. */
void gpu_set_ledger(struct gpu *gpu, struct ledger_book *book);
/* Takes the descriptor over. */
void gpu_set_frame_link(struct gpu *gpu, int fd);
/* Forgets every guest object before anything else is taken from the control queue. */
void gpu_reset(struct gpu *gpu);

/* ---- gpu thread ---- */

struct resource *gpu_find_resource(struct gpu *gpu, uint32_t id);
bool gpu_has_context(const struct gpu *gpu, uint32_t id);
/* Takes the resource out of everything that uses it and destroys it. */
void gpu_remove_resource(struct gpu *gpu, struct resource *resource);
/* Every resource, context and scanout. */
void gpu_clear(struct gpu *gpu);

/* For handover_accept() alone. Ledger, descriptor and reference are taken over. */
void gpu_use_ledger(struct gpu *gpu, struct ledger_book *book);
void gpu_forget_guest(struct gpu *gpu);
void gpu_use_frame_link(struct gpu *gpu, int fd);
void gpu_use_memory(struct gpu *gpu, struct memory *memory);
