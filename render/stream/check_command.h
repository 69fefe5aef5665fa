/* SPDX-License-Identifier: MIT */
/*
 * check command: judges one command against the state of its context. It is for this room only.
 *
 * check_command.c checks what the table alone says of a command: handles, resources, slots, stages
 * and formats. What else a command needs is in a function of its own, in the file of its kind; that
 * function also enters into the state what the command does. Both find the same command in
 * virglrenderer's src/vrend/vrend_decode.c.
 */
#pragma once

#include "render/stream/decoder.h"
#include "render/stream/state.h"

struct stream_check {
	struct streams *streams;
	struct context *context;
	struct stream_command command;
	uint32_t *words; /* command.words, to be mended */
	struct stream_fault *fault;
	const uint32_t *stream; /* it begins here */
	bool copying;           /* streams->copy holds what is passed on so far */
	uint32_t room_words;    /* of room for constants, that was put into it */
	bool is_sub_named;      /* virglrenderer has been told the sub-context in this stream */
};

typedef bool (*check_function)(struct stream_check *check);

/* Writes *fault with the field that word `index` is, and its value. Returns false. */
bool check_refuse(struct stream_check *check, uint32_t index, uint64_t limit, const char *why);
/* Does the same for what is over a quota, which quota_take() has logged. */
bool check_refuse_quota(struct stream_check *check, uint32_t index);
/* Makes a NOP of a command that has no effect that GL defines. Returns true. */
bool check_drop(struct stream_check *check);
/* Passes on a command of ours before this one: first its header, and then its payload. */
void check_insert(struct stream_check *check, enum stream_number number, uint32_t length);
void check_insert_words(struct stream_check *check, const uint32_t *words, uint32_t n_words);

/*
 * Both return what word `index` of the command names, which the table's checks have looked up: the
 * table must say that the word is a name. NULL is for 0, and for an object that virglrenderer
 * ignores.
 */
static inline struct stream_resource *check_resource(
	const struct stream_check *check, uint32_t index)
{
	g_assert(index <= check->command.length);
	return check->streams->named_resources[index];
}

static inline struct object *check_object(const struct stream_check *check, uint32_t index)
{
	g_assert(index <= check->command.length);
	return check->streams->named_objects[index];
}

/* Enters into a slot what a command binds; NULL empties it. */
static inline void check_fill(uint32_t *slot, struct stream_resource *resource)
{
	*slot = resource ? resource->id : 0;
	if (resource)
		resource->was_bound = true;
}

/* Returns true when `length` bytes from `offset` on lie inside `size`. */
static inline bool check_fits(uint64_t offset, uint64_t length, uint64_t size)
{
	return offset <= size && length <= size - offset;
}

/* A level has this width and height in pixels; `depth` is how many layers or slices it has. */
struct check_size {
	uint32_t width, height, depth;
};
struct check_size check_level_size(const struct stream_resource *resource, uint32_t level);

/* These functions are in check_object.c. */
bool check_create_object(struct stream_check *check);
bool check_bind_object(struct stream_check *check);
bool check_destroy_object(struct stream_check *check);
bool check_create_sub(struct stream_check *check);
bool check_set_sub(struct stream_check *check);
bool check_destroy_sub(struct stream_check *check);

/* These functions are in check_shader.c. */
bool check_create_shader(struct stream_check *check);
bool check_bind_shader(struct stream_check *check);
bool check_link_shader(struct stream_check *check);
bool check_constants(struct stream_check *check);
/* Returns whether virglrenderer has places for the buffers of all bound shaders. */
bool check_buffers_fit(struct sub_context *sub);

/* These functions are in check_bind.c. */
bool check_framebuffer(struct stream_check *check);
bool check_vertex_buffers(struct stream_check *check);
bool check_index_buffer(struct stream_check *check);
bool check_uniform_buffer(struct stream_check *check);
bool check_shader_buffers(struct stream_check *check);
bool check_atomic_buffers(struct stream_check *check);
bool check_shader_images(struct stream_check *check);
bool check_sampler_views(struct stream_check *check);
bool check_sampler_states(struct stream_check *check);
bool check_streamout_targets(struct stream_check *check);

/* These functions are in check_draw.c. */
bool check_draw(struct stream_check *check);
bool check_launch_grid(struct stream_check *check);
bool check_begin_query(struct stream_check *check);
bool check_end_query(struct stream_check *check);
bool check_query_result(struct stream_check *check);
bool check_query_buffer(struct stream_check *check);
bool check_render_condition(struct stream_check *check);
bool check_memory_info(struct stream_check *check);
bool check_layout(struct stream_check *check);
bool check_string_marker(struct stream_check *check);

/* These functions are in check_copy.c. */
bool check_transfer(struct stream_check *check);
bool check_copy_transfer(struct stream_check *check);
bool check_inline_write(struct stream_check *check);
bool check_copy_region(struct stream_check *check);
bool check_blit(struct stream_check *check);
bool check_clear_texture(struct stream_check *check);
