/* SPDX-License-Identifier: MIT */
/* These commands make, bind and destroy objects and sub-contexts. */
#include "render/stream/check_command.h"

/* ---- what objects are made of ---- */

static bool check_surface(struct stream_check *check)
{
	const struct stream_resource *resource = check_resource(check, 2);
	uint32_t level = check->words[4], layers = check->words[5];
	uint32_t first = layers & 0xffff, last = layers >> 16;
	if (level > resource->last_level)
		return check_refuse(check, 4, resource->last_level, "is no level of the resource");
	struct check_size size = check_level_size(resource, level);
	if (first > last || last >= size.depth)
		return check_refuse(check, 5, size.depth - 1, "are no layers of the resource");
	return true;
}

/*
 * Checks a view. That of a buffer has elements, the last one included: Mesa makes last = first - 1
 * of nothing. That of a texture has levels: where virglrenderer asks for no GL errors it gives a
 * view that GL refused to the draw, as a texture of no size with these levels.
 */
static bool check_sampler_view(struct stream_check *check)
{
	const struct stream_resource *resource = check_resource(check, 2);
	uint32_t first = check->words[4], count = check->words[5] - first + 1;
	if (check->words[3] >> 24 >= STREAM_TARGETS)
		return check_refuse(check, 3, STREAM_TARGETS - 1, "names no target");
	for (unsigned shift = 0; shift < 12; shift += 3) {
		if ((check->words[6] >> shift & 7) > 5)
			return check_refuse(check, 6, 5, "names no component");
	}
	if (resource->target == STREAM_TARGET_BUFFER && !check_fits(first, count, resource->width))
		return check_refuse(check, 5, resource->width, "is past the buffer's end");
	uint32_t level = check->words[5] & 0xff, last = check->words[5] >> 8 & 0xff;
	if (resource->target != STREAM_TARGET_BUFFER &&
		(level > last || last > resource->last_level))
		return check_refuse(
			check, 5, resource->last_level, "are no levels of the resource");
	return true;
}

/*
 * Checks that the resource has room for a result, which virglrenderer writes without a look at its
 * size.
 */
static bool check_query(struct stream_check *check)
{
	const struct stream_resource *resource = check_resource(check, 4);
	if (resource->target != STREAM_TARGET_BUFFER || resource->bind != STREAM_BIND_CUSTOM)
		return check_refuse(check, 4, 0, "is a resource of another kind");
	return resource->width >= STREAM_QUERY_RESULT_BYTES ||
	       check_refuse(check, 4, STREAM_QUERY_RESULT_BYTES, "has no room for a result");
}

static bool check_streamout_target(struct stream_check *check)
{
	const struct stream_resource *resource = check_resource(check, 2);
	return check_fits(check->words[3], check->words[4], resource->width) ||
	       check_refuse(check, 4, resource->width, "with its offset is past the buffer's end");
}

static uint32_t find_vertex_buffers(const struct stream_check *check)
{
	uint32_t mask = 0;
	for (uint32_t i = 0; i < check->command.n_groups; i++)
		mask |= 1u << check->words[2 + 4 * i + 2];
	return mask;
}

/* ---- making, binding, destroying ---- */

static bool check_parts(struct stream_check *check)
{
	switch (check->command.object) {
	case STREAM_OBJECT_SURFACE:
	case STREAM_OBJECT_MSAA_SURFACE:
		return check_surface(check);
	case STREAM_OBJECT_SAMPLER_VIEW:
		return check_sampler_view(check);
	case STREAM_OBJECT_QUERY:
		return check_query(check);
	case STREAM_OBJECT_STREAMOUT_TARGET:
		return check_streamout_target(check);
	default:
		return true;
	}
}

/*
 * Refuses a handle whose object is bound. A handle that is in use is given to the new object, and
 * the old one goes.
 */
static bool check_room(struct stream_check *check)
{
	const struct object *before = sub_find(check->context->current, check->words[1]);
	return !before || !object_is_in_use(before) ||
	       check_refuse(check, 1, 0, "is an object that is bound");
}

bool check_create_object(struct stream_check *check)
{
	if (!check_room(check))
		return false;
	if (check->command.object == STREAM_OBJECT_SHADER)
		return check_create_shader(check);
	if (!check_parts(check))
		return false;
	enum stream_object kind = check->command.object == STREAM_OBJECT_MSAA_SURFACE ?
					  STREAM_OBJECT_SURFACE :
					  check->command.object;
	struct object *object = sub_insert(check->context, check->words[1], kind, 0);
	if (!object)
		return check_refuse_quota(check, 1);
	if (kind == STREAM_OBJECT_VERTEX_ELEMENTS)
		object->vertex_buffers = find_vertex_buffers(check);
	return true;
}

static void bind_dsa(struct sub_context *sub, struct object *object)
{
	if (sub->dsa)
		sub->dsa->n_bound--;
	if (object)
		object->n_bound++;
	sub->dsa = object;
}

bool check_bind_object(struct stream_check *check)
{
	struct sub_context *sub = check->context->current;
	struct object *object = check->words[1] ? check_object(check, 1) : NULL;
	if (check->command.object == STREAM_OBJECT_DSA)
		bind_dsa(sub, object);
	if (check->command.object == STREAM_OBJECT_VERTEX_ELEMENTS)
		sub->vertex_elements = object;
	return true;
}

bool check_destroy_object(struct stream_check *check)
{
	struct sub_context *sub = check->context->current;
	struct object *object = check_object(check, 1);
	if (!object)
		return !sub_find(sub, check->words[1]) || check_drop(check);
	if (object->shader && object->shader->text)
		return check_refuse(check, 1, 0, "is a shader whose text has not ended");
	if (object_is_in_use(object)) {
		object->doomed = true;
		return check_drop(check);
	}
	sub_remove(check->context, object);
	return true;
}

/* ---- sub-contexts ---- */

bool check_create_sub(struct stream_check *check)
{
	return context_make_sub(check->context, check->words[1]) || check_refuse_quota(check, 1);
}

bool check_set_sub(struct stream_check *check)
{
	context_switch_sub(check->context, check->words[1]);
	return true;
}

bool check_destroy_sub(struct stream_check *check)
{
	context_destroy_sub(check->context, check->words[1]);
	return true;
}
