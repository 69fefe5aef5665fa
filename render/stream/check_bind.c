/* SPDX-License-Identifier: MIT */
/*
 * These commands bind things to slots. GL lets a program bind a buffer past its end, as when it has
 * made the buffer anew and smaller, so a range that does not fit is cut to what there is.
 */
#include "render/stream/check_command.h"

#include <string.h>

bool check_framebuffer(struct stream_check *check)
{
	uint32_t n = check->command.n_groups;
	return check->words[1] == n || check_refuse(check, 1, n, "is not how many follow");
}

/* ---- vertices and indices ---- */

/* Empties the slot of a range, so that it names no buffer. */
static void empty(uint32_t *offset, uint32_t *length, uint32_t *resource)
{
	*offset = *length = *resource = 0;
}

/* Sets the first slots and empties those behind them, as virglrenderer does. */
bool check_vertex_buffers(struct stream_check *check)
{
	struct sub_context *sub = check->context->current;
	uint32_t n = check->command.n_groups, *group = check->words + 1;
	sub->vertex_mask = 0;
	for (uint32_t i = 0; i < n; i++, group += 3) {
		struct stream_resource *resource = check_resource(check, 3 * i + 3);
		if (resource && group[1] > resource->width) {
			group[1] = group[2] = 0;
			resource = NULL;
		}
		check_fill(&sub->slots.vertices[i], resource);
		sub->vertex_mask |= resource ? 1u << i : 0;
	}
	for (uint32_t i = n; i < sub->n_vertices; i++)
		check_fill(&sub->slots.vertices[i], NULL);
	sub->n_vertices = n;
	return true;
}

bool check_index_buffer(struct stream_check *check)
{
	struct sub_context *sub = check->context->current;
	struct stream_resource *resource = check_resource(check, 1);
	bool is_set = resource && check->command.length == 3;
	check_fill(&sub->slots.index, resource);
	sub->index_size = is_set ? check->words[2] : 0;
	sub->index_offset = is_set ? check->words[3] : 0;
	sub->index_room = resource ? resource->width : 0;
	return true;
}

/* ---- ranges of buffers ---- */

/*
 * Cuts a range to its buffer and empties one that has no byte there: GL takes that for an error, in
 * the middle of a draw. Returns the buffer, or NULL.
 */
static struct stream_resource *mend_range(
	struct stream_check *check, uint32_t *offset, uint32_t *length, uint32_t *id)
{
	struct stream_resource *resource = check_resource(check, (uint32_t)(id - check->words));
	if (!resource || *offset >= resource->width || *length == 0) {
		empty(offset, length, id);
		return NULL;
	}
	*length = MIN(*length, resource->width - *offset);
	return resource;
}

bool check_uniform_buffer(struct stream_check *check)
{
	uint32_t *words = check->words;
	struct stream_resource *resource = mend_range(check, &words[3], &words[4], &words[5]);
	check_fill(&check->context->current->slots.uniforms[words[1]][words[2]], resource);
	return true;
}

static void check_ranges(struct stream_check *check, uint32_t first, uint32_t *slots)
{
	uint32_t *group = check->words + first;
	for (uint32_t i = 0; i < check->command.n_groups; i++, group += 3)
		check_fill(&slots[i], mend_range(check, &group[0], &group[1], &group[2]));
}

bool check_shader_buffers(struct stream_check *check)
{
	struct slots *slots = &check->context->current->slots;
	check_ranges(check, 3, slots->buffers[check->words[1]] + check->words[2]);
	return true;
}

bool check_atomic_buffers(struct stream_check *check)
{
	struct slots *slots = &check->context->current->slots;
	check_ranges(check, 2, slots->atomics + check->words[1]);
	return true;
}

/* Returns true for virgl_hw.h's formats whose pixels are integers and are read as such. */
static bool is_of_integers(uint32_t format)
{
	static const struct {
		uint16_t first, last;
	} ranges[] = { { 177, 225 }, { 231, 232 }, { 237, 238 }, { 240, 241 }, { 247, 253 } };
	for (unsigned i = 0; i < G_N_ELEMENTS(ranges); i++) {
		if (format >= ranges[i].first && format <= ranges[i].last)
			return true;
	}
	return false;
}

static void note_image(struct sub_context *sub, uint32_t stage, uint32_t slot, bool of_integers)
{
	uint32_t bit = 1u << slot;
	sub->other_images[stage] &= ~bit;
	if (of_integers)
		return;
	sub->other_images[stage] |= bit;
	sub->other_units |= bit;
}

/*
 * Checks ranges of buffers only, since GL checks levels and layers of textures when they are used.
 */
bool check_shader_images(struct stream_check *check)
{
	struct slots *slots = &check->context->current->slots;
	uint32_t *slot = slots->images[check->words[1]] + check->words[2];
	uint32_t *group = check->words + 3;
	for (uint32_t i = 0; i < check->command.n_groups; i++, group += 5) {
		struct stream_resource *resource = check_resource(check, 3 + 5 * i + 4);
		if (resource && resource->target == STREAM_TARGET_BUFFER)
			resource = mend_range(check, &group[2], &group[3], &group[4]);
		check_fill(&slot[i], resource);
		note_image(check->context->current, check->words[1], check->words[2] + i,
			!resource || is_of_integers(group[0]));
	}
	return true;
}

/* ---- samplers ---- */

/*
 * Refuses views past the slots that shaders can name, since virglrenderer notes in 32 bits which
 * views are new.
 */
bool check_sampler_views(struct stream_check *check)
{
	uint32_t first = check->words[2];
	for (uint32_t i = 0; i < check->command.n_groups; i++) {
		if (check->words[3 + i] != 0 && first + i >= STREAM_SAMPLERS_MAX)
			return check_refuse(check, 3 + i, STREAM_SAMPLERS_MAX - 1,
				"is bound past the last slot that shaders can name");
	}
	return true;
}

bool check_sampler_states(struct stream_check *check)
{
	struct sub_context *sub = check->context->current;
	struct object **slot = sub->sampler_states[check->words[1]] + check->words[2];
	for (uint32_t i = 0; i < check->command.n_groups; i++) {
		struct object *state = check_object(check, 3 + i);
		if (!state)
			check->words[3 + i] = 0;
		if (slot[i])
			slot[i]->n_bound--;
		if (state)
			state->n_bound++;
		slot[i] = state;
	}
	return true;
}

/* ---- streamout targets ---- */

/* virglrenderer keeps a set for each number of targets and their handles in order, 0 included. */
bool check_streamout_targets(struct stream_check *check)
{
	const struct sub_context *sub = check->context->current;
	struct streamout_set set = { .n = check->command.n_groups };
	if (set.n == 0)
		return true;
	memcpy(set.handles, check->words + 2, set.n * sizeof(*set.handles));
	if (!sub_enter_streamout(check->context, &set))
		return check_refuse_quota(check, 2);
	return sub->streamout_sets->len <= STREAM_STREAMOUT_SETS_MAX ||
	       check_refuse(check, 2, STREAM_STREAMOUT_SETS_MAX,
		       "is in one set of targets too many that are kept");
}
