/* SPDX-License-Identifier: MIT */
/*
 * frame: holds render's buffers as display sees them, and the locks that display has on them.
 *
 * A buffer is what one BUFFER_ADD message brought: mapped memory, or a dma-buf that only clients
 * look into. A frame is what one PRESENT message brought: a buffer and a place in it, which may be
 * read while somebody holds a reference; the last frame_unref makes the RELEASE be sent. Everything
 * in the messages comes from a process that may have been taken over, and is checked here against
 * display/heads/limits.h.
 *
 * Threads: references may be taken and dropped on any thread; the fields never change.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "display/heads/limits.h"

struct shared_buffer;

/*
 * Checks the message and maps the descriptor, or duplicates that of a dma-buf; it stays the
 * caller's. Returns NULL when something is wrong (logged, naming the buffer and the limit); errno
 * says what, and whether it is ours.
 */
struct shared_buffer *shared_buffer_create(const struct frame_buffer_add *add, int fd);
/* Drops the caller's reference. A frame holds one of its own. */
void shared_buffer_unref(struct shared_buffer *buffer);

/* It is called once, on whatever thread dropped the last reference. */
typedef void (*frame_released)(void *user, uint32_t buffer, uint32_t head, uint64_t serial);

struct frame_dmabuf {
	int fd;
	uint32_t stride_bytes;
	uint32_t fourcc;
};

struct frame {
	int refs; /* atomic */
	struct shared_buffer *buffer;
	uint32_t head;
	uint64_t serial;
	uint64_t flush_time_ns; /* CLOCK_MONOTONIC; as render says */
	uint32_t width, height;
	uint32_t stride_bytes;
	/* One of these two is set. A dma-buf is the head's picture as a whole, and cannot be read
	 * here; else `pixels` is the head's upper left corner, XRGB8888. */
	const struct frame_dmabuf *dmabuf;
	const uint8_t *pixels;
	/* stride_bytes * height bytes from `pixels` on are mapped: spice-server may take it whole.
	 */
	bool whole;
	frame_released released;
	void *user;
};

/*
 * Makes a frame of the picture that a head of this size has in `buffer`, with a reference of its
 * own to the buffer. Returns NULL when it does not lie inside (logged).
 */
struct frame *frame_create(struct shared_buffer *buffer, const struct frame_present *message,
	uint32_t width, uint32_t height, frame_released released, void *user);
struct frame *frame_ref(struct frame *frame);
void frame_unref(struct frame *frame);
