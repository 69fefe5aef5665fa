/* SPDX-License-Identifier: MIT */
/* These commands draw, run programs, and write results into resources. */
#include "render/stream/check_command.h"

enum {
	COUNT = 2,
	INDEXED = 4,
	LEAST_INDEX = 10,
	GREATEST_INDEX = 11,
	INDIRECT = 15,
	INDIRECT_OFFSET = 16,
	INDIRECT_STRIDE = 17,
	INDIRECT_DRAWS = 18,
	DRAW_COUNT_OFFSET = 19,
	DRAW_COUNT = 20,
	DRAW_DIRECT_LENGTH = 14,
};

/* GL reads commands of this many bytes: struct DrawArraysIndirectCommand and the like. */
enum { ARRAYS_BYTES = 16, ELEMENTS_BYTES = 20, DISPATCH_BYTES = 12 };

/* ---- drawing ---- */

/*
 * Returns false when an attribute has no buffer. It would be read from its offset, as if that were
 * an address.
 */
static bool has_vertices(const struct sub_context *sub)
{
	return !sub->vertex_elements ||
	       (sub->vertex_elements->vertex_buffers & ~sub->vertex_mask) == 0;
}

static bool has_indices(const struct stream_check *check)
{
	const struct sub_context *sub = check->context->current;
	uint32_t size = sub->index_size == 1 || sub->index_size == 2 ? sub->index_size : 4;
	uint64_t bytes = (uint64_t)check->words[COUNT] * size;
	return sub->slots.index == 0 || check_fits(sub->index_offset, bytes, sub->index_room);
}

static bool has_commands(const struct stream_check *check, const struct stream_resource *resource)
{
	uint32_t bytes = check->words[INDEXED] ? ELEMENTS_BYTES : ARRAYS_BYTES;
	uint32_t draws = MAX(check->words[INDIRECT_DRAWS], 1);
	uint32_t stride = MAX(check->words[INDIRECT_STRIDE], bytes);
	uint64_t length = (uint64_t)stride * (draws - 1) + bytes;
	return check_fits(check->words[INDIRECT_OFFSET], length, resource->width);
}

static bool is_indirect_whole(const struct stream_check *check)
{
	const struct stream_resource *commands = check_resource(check, INDIRECT);
	const struct stream_resource *count = check_resource(check, DRAW_COUNT);
	if (commands && !has_commands(check, commands))
		return false;
	return !count || check_fits(check->words[DRAW_COUNT_OFFSET], 4, count->width);
}

/*
 * Without one of them virglrenderer 0.10.4 draws nothing the first time, and the next time with the
 * program that it linked last, of whose fragment shader it then reads what is no more.
 */
static bool has_shaders(struct sub_context *sub)
{
	return sub->shaders[STREAM_STAGE_VERTEX] && sub->shaders[STREAM_STAGE_FRAGMENT] &&
	       check_buffers_fit(sub);
}

static bool fits_geometry(const struct sub_context *sub)
{
	const struct shader *geometry = sub->shaders[STREAM_STAGE_GEOMETRY];
	bool tessellated = sub->shaders[STREAM_STAGE_TESS_EVAL] != NULL;
	return !geometry || geometry->facts.geometry_bytes <=
				    (tessellated ? TGSI_GEOMETRY_BYTES_TESSELLATED_MAX :
						   TGSI_GEOMETRY_BYTES_MAX);
}

/* Returns true where an image of integers of the shader's may be one of others. */
static bool finds_others(
	const struct sub_context *sub, const struct shader *shader, uint32_t others)
{
	uint32_t integers = shader ? shader->facts.images_of_integers & sub->other_units : 0;
	for (uint32_t slot = 0; slot < STREAM_SHADER_IMAGES_MAX && integers >> slot != 0; slot++) {
		bool is_bound = sub->slots.images[shader->stage][slot] != 0;
		if (integers >> slot & 1 && (others >> slot & 1 || !is_bound))
			return true;
	}
	return false;
}

/*
 * Returns false where a shader of stages `first` to `last` declares an image of integers, and what
 * is bound there is none. GL leaves open what comes of it. Mesa has LLVM compile the one's
 * operations with the other's pixels: of some there is no such instruction, and LLVM ends the
 * process. In GL images have the numbers of their slots, in all stages the same, and what
 * virglrenderer does not bind stays there.
 */
static bool finds_integers(
	const struct sub_context *sub, enum stream_stage first, enum stream_stage last)
{
	uint32_t others = 0;
	if (!sub->other_units)
		return true;
	for (unsigned stage = first; stage <= last; stage++) {
		const struct shader *shader = sub->shaders[stage];
		others |= shader ? shader->facts.images & sub->other_images[stage] : 0;
	}
	for (unsigned stage = first; stage <= last; stage++) {
		if (finds_others(sub, sub->shaders[stage], others))
			return false;
	}
	return true;
}

/*
 * Forgets between which numbers all indices are said to be. GL leaves open what comes of one
 * outside: Mesa computes that many vertices, and takes the index's from the memory behind them.
 */
static void forget_index_range(struct stream_check *check)
{
	check->words[LEAST_INDEX] = 0;
	check->words[GREATEST_INDEX] = UINT32_MAX;
}

/*
 * Drops a draw that would read past its buffers, or whose shaders are missing or have too many
 * buffers together, put out too much, or find no integers in images
 * of integers. GL leaves open what comes of it; here it
 * draws nothing.
 */
bool check_draw(struct stream_check *check)
{
	bool is_indirect =
		check->command.length > DRAW_DIRECT_LENGTH && check->words[INDIRECT] != 0;
	if (!has_shaders(check->context->current) || !has_vertices(check->context->current) ||
		!fits_geometry(check->context->current) ||
		!finds_integers(
			check->context->current, STREAM_STAGE_VERTEX, STREAM_STAGE_TESS_EVAL))
		return check_drop(check);
	if (check->command.length > DRAW_DIRECT_LENGTH && !is_indirect_whole(check))
		return check_drop(check);
	if (check->words[INDEXED] && !is_indirect && !has_indices(check))
		return check_drop(check);
	if (check->words[INDEXED])
		forget_index_range(check);
	return true;
}

bool check_launch_grid(struct stream_check *check)
{
	const struct stream_resource *resource = check_resource(check, 7);
	const struct sub_context *sub = check->context->current;
	if (!sub->shaders[STREAM_STAGE_COMPUTE] ||
		!finds_integers(sub, STREAM_STAGE_COMPUTE, STREAM_STAGE_COMPUTE))
		return check_drop(check);
	if (resource && !check_fits(check->words[8], DISPATCH_BYTES, resource->width))
		return check_drop(check);
	return true;
}

/* ---- results ---- */

bool check_begin_query(struct stream_check *check)
{
	check_object(check, 1)->has_result = false;
	return true;
}

bool check_end_query(struct stream_check *check)
{
	check_object(check, 1)->has_result = true;
	return true;
}

/*
 * Leaves out what asks for the result of a query that has not ended. GL says nothing then, and what
 * virglrenderer gives the guest is what its stack had.
 */
bool check_query_result(struct stream_check *check)
{
	const struct object *query = check_object(check, 1);
	return !query || query->has_result || check_drop(check);
}

/*
 * Checks that the result fits. Result types are signed and unsigned in turn: two of 32 bits, two of
 * 64.
 */
bool check_query_buffer(struct stream_check *check)
{
	const struct stream_resource *resource = check_resource(check, 2);
	uint32_t bytes = check->words[4] < 2 ? 4 : 8;
	return check_fits(check->words[5], bytes, resource->width) ||
	       check_refuse(check, 5, resource->width, "is past the buffer's end");
}

/*
 * Notes which query a condition names, so that it lives as long: GL does not look whether it does,
 * and asks it before each draw. A second condition while one holds is an error in GL, and left out.
 */
bool check_render_condition(struct stream_check *check)
{
	struct object **condition = &check->context->current->condition;
	struct object *query = check_object(check, 1);
	if (query && *condition)
		return check_drop(check);
	if (query) {
		query->n_bound++;
		*condition = query;
	} else if (*condition && check->words[1] == 0) {
		(*condition)->n_bound--;
		*condition = NULL;
	}
	return true;
}

/*
 * Asks for room in the backing's first piece, since virglrenderer writes to where the backing
 * begins.
 */
bool check_memory_info(struct stream_check *check)
{
	const struct stream_resource *resource = check_resource(check, 1);
	return resource->first_piece_bytes >= STREAM_MEMORY_INFO_BYTES ||
	       check_refuse(check, 1, STREAM_MEMORY_INFO_BYTES, "has no backing of that size");
}

/*
 * Asks for room where the answer is written: the backing, or, where there is none, memory that only
 * CUSTOM buffers have.
 */
bool check_layout(struct stream_check *check)
{
	const struct stream_resource *resource = check_resource(check, 1);
	bool is_custom =
		resource->target == STREAM_TARGET_BUFFER && resource->bind == STREAM_BIND_CUSTOM;
	uint64_t room = resource->backing_bytes;
	if (room == 0 && is_custom)
		room = resource->width;
	return room >= STREAM_LAYOUT_BYTES ||
	       check_refuse(check, 1, STREAM_LAYOUT_BYTES, "has no room of that size");
}

bool check_string_marker(struct stream_check *check)
{
	uint32_t room = check->command.n_groups * 4;
	return check->words[1] <= room || check_refuse(check, 1, room, "is longer than the text");
}
