/* SPDX-License-Identifier: MIT */
/*
 * pipe: keeps the bytes that have come from one side of a relayed connection and have not gone out
 * on the other side.
 *
 *   |  gone  |  ready to go  |  held: waits for more of the same message  |  room  |
 *   0      start           ready                                         end   capacity
 *
 * Bytes are held while they are a message's beginning. Where each message must go by itself, whole
 * messages are held, too, while the one before them goes.
 *
 * Nothing is read while anything is ready to go. So the buffer has at most what one read brought
 * and what was held before it.
 *
 * Threads: the relay's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pipe {
	uint8_t *bytes;
	size_t capacity_bytes, start, ready, end;
};

void pipe_init(struct pipe *pipe, size_t capacity_bytes);
void pipe_finish(struct pipe *pipe);
/* Changes the capacity. The bytes in the pipe must fit. */
void pipe_resize(struct pipe *pipe, size_t capacity_bytes);

/* Returns true when nothing is ready to go. */
bool pipe_is_idle(const struct pipe *pipe);
size_t pipe_filled_bytes(const struct pipe *pipe);
/*
 * Moves the held bytes to the front, sets `room` to the place behind them, and returns its size,
 * which is never 0. The pipe must be idle.
 */
size_t pipe_make_room(struct pipe *pipe, uint8_t **room);
/* Says that this many bytes were written into the room. */
void pipe_fill(struct pipe *pipe, size_t size_bytes);
/* Says that this many of the bytes that were ready have gone out. */
void pipe_drain(struct pipe *pipe, size_t size_bytes);
/*
 * Puts bytes that are ready to go in front of the held ones. The pipe must be idle. Returns false
 * when there is no room for them.
 */
bool pipe_insert(struct pipe *pipe, const uint8_t *bytes, size_t size_bytes);
