/* SPDX-License-Identifier: MIT */
/*
 * rig: puts a keeper, a guest and a display in one test process around a real vitrine-render.
 *
 * Guest memory is two memfds with a gap between them, with user addresses unlike guest addresses.
 * The guest's driver is simple: it submits one command at a time, or one in each place, and chains
 * are built from the parts it is given.
 */
#pragma once

#include <glib.h>
#include <linux/virtio_gpu.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "protocol/frame_link.h"
#include "protocol/keeper_link.h"
#include "protocol/ledger.h"

#define RIG_LOW_ADDR 0x100000ull
#define RIG_LOW_BYTES (16ull << 20)
#define RIG_HIGH_ADDR 0x40000000ull
#define RIG_HIGH_BYTES (48ull << 20)
#define RIG_USER_OFFSET 0x7f0000000000ull
#define RIG_BUFFERS_MAX 64
#define RIG_PLACES 4
/*
 * Bounds how long an answer may take on a machine that is busy with other things; the keeper has
 * limits of its own.
 */
#define RIG_WAIT_MS 20000

struct rig_ring {
	uint32_t size;
	uint64_t desc, avail, used; /* guest addresses */
	uint16_t next_avail, next_used;
	int kick_fd, call_fd;
};

struct rig_buffer {
	struct frame_buffer_add add;
	const uint8_t *pixels;
};

struct rig {
	GPid pid;
	int keeper_fd;
	int frame_fd;
	uint32_t n_capsets;
	uint8_t *low, *high;
	int low_fd, high_fd;
	int ledger_fd;
	struct ledger *ledger;
	uint64_t features;
	struct rig_ring rings[KEEPER_RINGS];
	bool indirect;            /* chains go through an indirect table */
	uint32_t piece_bytes;     /* commands are cut into pieces of this size; 0: whole */
	const char *quota_option; /* of the renderer's command line, or NULL */
	unsigned place;    /* of the next command, below RIG_PLACES: one may be under way in each */
	bool without_high; /* the renderer is not told of the high memory */
	uint32_t early_rate_mhz; /* wanted before the renderer has memory; 0: not */

	struct rig_buffer buffers[RIG_BUFFERS_MAX];
	unsigned n_buffers;
	bool keep_frames; /* do not release by itself */
	unsigned n_frames;
	struct frame_present frame; /* the last one */
	struct frame_head_on head_on[FRAME_HEADS_MAX];
	bool head_is_on[FRAME_HEADS_MAX];
	struct frame_cursor_image cursor_image;
	struct frame_cursor_move cursor_move;
	unsigned n_cursor_images, n_cursor_moves, n_cursor_hides;
};

/*
 * Returns NULL with a message when the renderer says that it cannot start (no GL here); then skip
 * the test.
 */
struct rig *rig_start(bool virgl);
/* Starts it with an option such as "--quota=contexts=1", which must outlive the rig. */
struct rig *rig_start_limited(bool virgl, const char *quota_option);
/* Kills the renderer and starts another one on the same guest, ledger and rings. */
void rig_restart(struct rig *rig);
void rig_stop(struct rig *rig);

void *rig_host(struct rig *rig, uint64_t guest_addr);
void rig_send_memory(struct rig *rig);
void rig_send_ring_start(struct rig *rig, unsigned ring);
uint16_t rig_stop_ring(struct rig *rig, unsigned ring);
/*
 * QEMU resets the machine: the first stops the rings and tells the renderer, the second starts
 * empty rings for a new driver.
 */
void rig_stop_and_reset(struct rig *rig);
void rig_start_anew(struct rig *rig);
void rig_send_frame_link(struct rig *rig);

/* Puts a chain into a ring and kicks; the answer goes to rig_answer(). Returns the chain's head. */
uint16_t rig_submit(struct rig *rig, unsigned ring, const void *request, size_t request_bytes,
	size_t answer_bytes);
/* Returns where the answer goes to what is submitted in rig->place. */
void *rig_answer(struct rig *rig);
/*
 * Waits until the renderer has taken all that was submitted, so that it works on what is not
 * answered.
 */
bool rig_wait_taken(struct rig *rig, unsigned ring, int timeout_ms);
bool rig_has_used(struct rig *rig, unsigned ring);
/* Waits for the next used entry. Returns false after timeout_ms. */
bool rig_wait_used(struct rig *rig, unsigned ring, uint32_t *id, uint32_t *length, int timeout_ms);
/*
 * Submits and waits on the control ring, and copies the answer out. Returns its type, or 0 when
 * none came.
 */
uint32_t rig_command(struct rig *rig, const void *request, size_t request_bytes, void *answer,
	size_t answer_bytes);

/* Reads what the renderer sent on the frame link, until nothing came for timeout_ms. */
bool rig_receive(struct rig *rig, int timeout_ms);
/* Receives until n_frames is at least n. */
bool rig_wait_frames(struct rig *rig, unsigned n);
void rig_release(struct rig *rig, const struct frame_present *frame);
void rig_set_rate(struct rig *rig, unsigned head, uint32_t rate_mhz);
/* Returns the pixel of the last frame, as 0xRRGGBB. */
uint32_t rig_pixel(struct rig *rig, uint32_t x, uint32_t y);

/* These are commands with few arguments. Each returns the type of the answer. */
uint32_t rig_create_2d(
	struct rig *rig, uint32_t id, uint32_t format, uint32_t width, uint32_t height);
uint32_t rig_attach(struct rig *rig, uint32_t id, uint64_t guest_addr, uint64_t size_bytes,
	uint32_t entry_bytes);
uint32_t rig_set_scanout(
	struct rig *rig, unsigned head, uint32_t id, uint32_t width, uint32_t height);
uint32_t rig_transfer_2d(struct rig *rig, uint32_t id, uint32_t width, struct virtio_gpu_rect rect);
/*
 * Submits a command that takes long: makes a large resource of this id, attaches a little of the
 * low memory to it again and again, and transfers all of that, 64 MiB. Returns when the renderer is
 * at it.
 */
#define RIG_LONG_WORK_SIDE 4096
void rig_begin_long_work(struct rig *rig, uint32_t id);
uint32_t rig_flush(struct rig *rig, uint32_t id, struct virtio_gpu_rect rect);
