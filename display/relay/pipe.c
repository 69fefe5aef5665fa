/* SPDX-License-Identifier: MIT */
#include "display/relay/pipe.h"

#include <glib.h>
#include <string.h>

void pipe_init(struct pipe *pipe, size_t capacity_bytes)
{
	*pipe = (struct pipe){ .bytes = g_malloc(capacity_bytes),
		.capacity_bytes = capacity_bytes };
}

void pipe_finish(struct pipe *pipe)
{
	g_clear_pointer(&pipe->bytes, g_free);
}

void pipe_resize(struct pipe *pipe, size_t capacity_bytes)
{
	g_assert(pipe->end <= capacity_bytes);
	pipe->bytes = g_realloc(pipe->bytes, capacity_bytes);
	pipe->capacity_bytes = capacity_bytes;
}

bool pipe_is_idle(const struct pipe *pipe)
{
	return pipe->start == pipe->ready;
}

size_t pipe_filled_bytes(const struct pipe *pipe)
{
	return pipe->end - pipe->start;
}

static void move_held(struct pipe *pipe, size_t to)
{
	size_t held_bytes = pipe->end - pipe->ready;
	memmove(pipe->bytes + to, pipe->bytes + pipe->ready, held_bytes);
	pipe->ready = to;
	pipe->end = to + held_bytes;
}

size_t pipe_make_room(struct pipe *pipe, uint8_t **room)
{
	g_assert(pipe_is_idle(pipe));
	move_held(pipe, 0);
	pipe->start = 0;
	*room = pipe->bytes + pipe->end;
	return pipe->capacity_bytes - pipe->end;
}

void pipe_fill(struct pipe *pipe, size_t size_bytes)
{
	g_assert(size_bytes <= pipe->capacity_bytes - pipe->end);
	pipe->end += size_bytes;
}

void pipe_drain(struct pipe *pipe, size_t size_bytes)
{
	g_assert(size_bytes <= pipe->ready - pipe->start);
	pipe->start += size_bytes;
}

bool pipe_insert(struct pipe *pipe, const uint8_t *bytes, size_t size_bytes)
{
	uint8_t *room;
	g_assert(pipe_is_idle(pipe));
	if (pipe_make_room(pipe, &room) < size_bytes)
		return false;
	move_held(pipe, size_bytes);
	memcpy(pipe->bytes, bytes, size_bytes);
	return true;
}
