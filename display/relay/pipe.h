/* SPDX-License-Identifier: MIT */
/*
 * pipe: what has come from one side of a relayed connection and not gone out on the other.
 *
 *   |  gone  |  ready to go  |  held: waits for more of the same message  |  room  |
 *   0      start           ready                                         end   capacity
 *
 * Where messages go one by one, whole ones are held, too, while the one before them goes.
 *
 * Nothing is read while anything is ready to go, so there is never more than one reading's worth.
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
/* What is in it must fit. */
void pipe_resize(struct pipe *pipe, size_t capacity_bytes);

/* Nothing is ready to go. */
bool pipe_is_idle(const struct pipe *pipe);
size_t pipe_filled_bytes(const struct pipe *pipe);
/* Only when idle: moves what is held to the front; returns the room behind it, never none. */
size_t pipe_make_room(struct pipe *pipe, uint8_t **room);
/* So much was put into the room. */
void pipe_fill(struct pipe *pipe, size_t size_bytes);
/* So much went out of what is ready. */
void pipe_drain(struct pipe *pipe, size_t size_bytes);
/* Only when idle: puts bytes in front of what is held, ready to go. False: no room. */
bool pipe_insert(struct pipe *pipe, const uint8_t *bytes, size_t size_bytes);
