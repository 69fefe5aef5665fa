/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/script/model.h"

#define PAGE_BYTES 4096u

static const uint32_t color_formats[] = {
	VIRGL_FORMAT_B8G8R8A8,
	VIRGL_FORMAT_B8G8R8X8,
	VIRGL_FORMAT_R8G8B8A8,
	VIRGL_FORMAT_R8,
	VIRGL_FORMAT_R8G8,
	VIRGL_FORMAT_R16G16B16A16F,
	VIRGL_FORMAT_R32G32B32A32F,
	VIRGL_FORMAT_R32F,
	VIRGL_FORMAT_R8G8B8A8_SRGB,
};

void model_init(struct model *model, struct choices *choices, struct script *script)
{
	*model = (struct model){
		.choices = choices,
		.script = script,
		.uses = g_array_new(FALSE, FALSE, sizeof(enum model_use)),
		.objects = g_array_new(FALSE, FALSE, sizeof(struct model_object)),
		.next_handle = 1,
		.next_resource = 1,
		.next_blob = 1,
		.next_sub_context = 1,
		.n_sub_contexts = 1,
	};
}

void model_finish(struct model *model)
{
	g_array_unref(model->uses);
	g_array_unref(model->objects);
}

/* ---- resources ---- */

uint32_t model_width(const struct script_resource *resource, uint32_t level)
{
	return MAX(resource->width >> level, 1);
}

uint32_t model_height(const struct script_resource *resource, uint32_t level)
{
	return MAX(resource->height >> level, 1);
}

uint32_t model_layers(const struct script_resource *resource, uint32_t level)
{
	return resource->target == VIRGL_TEXTURE_3D ? MAX(resource->depth >> level, 1) :
						      resource->array_size;
}

/* Returns as much as every level takes, in whole pages, as the kernel gives memory. */
static uint32_t backing_bytes(const struct script_resource *r)
{
	uint32_t bytes = 0;
	for (uint32_t level = 0; level <= r->last_level; level++)
		bytes += model_width(r, level) * model_height(r, level) * model_layers(r, level) *
			 script_pixel_bytes(r->format);
	bytes *= MAX(r->nr_samples, 1);
	return (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

static void shape_buffer(struct model *model, struct script_resource *r, uint32_t bind)
{
	r->target = VIRGL_BUFFER;
	r->format = VIRGL_FORMAT_R8;
	r->bind = bind;
	r->width = 256 * choose_between(model->choices, 2, MODEL_BUFFER_BYTES / 256);
	if (bind == VIRGL_BIND_CUSTOM)
		r->width = 16; /* struct virgl_host_query_state */
}

static void shape_2d(struct model *model, struct script_resource *r, uint32_t format, uint32_t bind)
{
	r->target = VIRGL_TEXTURE_2D;
	r->format = format;
	r->bind = bind;
	r->width = 8 * choose_between(model->choices, 1, MODEL_TEXTURE_SIZE / 8);
	r->height = 8 * choose_between(model->choices, 1, MODEL_TEXTURE_SIZE / 8);
	r->last_level = choose(model->choices, MODEL_LEVELS_MAX + 1);
}

static void shape_texture(struct model *model, struct script_resource *r)
{
	shape_2d(model, r, color_formats[choose(model->choices, G_N_ELEMENTS(color_formats))],
		VIRGL_BIND_SAMPLER_VIEW);
	r->target = choose_between(model->choices, VIRGL_TEXTURE_1D, VIRGL_TARGETS - 1);
	switch (r->target) {
	case VIRGL_TEXTURE_1D:
		r->height = 1;
		break;
	case VIRGL_TEXTURE_3D:
		r->depth = choose_between(model->choices, 1, 8);
		break;
	case VIRGL_TEXTURE_CUBE:
		r->height = r->width;
		r->array_size = 6;
		break;
	case VIRGL_TEXTURE_RECT:
		r->last_level = 0;
		break;
	case VIRGL_TEXTURE_1D_ARRAY:
		r->height = 1;
		r->array_size = choose_between(model->choices, 1, 6);
		break;
	case VIRGL_TEXTURE_2D_ARRAY:
		r->array_size = choose_between(model->choices, 1, 6);
		break;
	case VIRGL_TEXTURE_CUBE_ARRAY:
		r->height = r->width;
		r->array_size = 6 * choose_between(model->choices, 1, 2);
		break;
	default:
		break;
	}
}

static void shape(struct model *model, struct script_resource *r, enum model_use use)
{
	static const uint32_t binds[MODEL_USES] = {
		[MODEL_VERTICES] = VIRGL_BIND_VERTEX_BUFFER,
		[MODEL_INDICES] = VIRGL_BIND_INDEX_BUFFER,
		[MODEL_UNIFORMS] = VIRGL_BIND_CONSTANT_BUFFER,
		[MODEL_SHADER_BUFFER] = VIRGL_BIND_SHADER_BUFFER,
		[MODEL_INDIRECT] = VIRGL_BIND_COMMAND_ARGS,
		[MODEL_STREAMOUT] = VIRGL_BIND_STREAM_OUTPUT,
		[MODEL_QUERY] = VIRGL_BIND_CUSTOM,
		[MODEL_QUERY_BUFFER] = VIRGL_BIND_QUERY_BUFFER,
		[MODEL_STAGING] = VIRGL_BIND_STAGING,
		[MODEL_TEXELS] = VIRGL_BIND_SAMPLER_VIEW,
	};
	struct choices *c = model->choices;
	switch (use) {
	case MODEL_COLOR:
		shape_2d(model, r, color_formats[choose(c, G_N_ELEMENTS(color_formats))],
			VIRGL_BIND_RENDER_TARGET | VIRGL_BIND_SAMPLER_VIEW);
		break;
	case MODEL_DEPTH:
		shape_2d(model, r, choose(c, 2) ? VIRGL_FORMAT_S8_Z24 : VIRGL_FORMAT_Z16,
			VIRGL_BIND_DEPTH_STENCIL | VIRGL_BIND_SAMPLER_VIEW);
		break;
	case MODEL_MULTISAMPLED:
		shape_2d(model, r, VIRGL_FORMAT_R8G8B8A8,
			VIRGL_BIND_RENDER_TARGET | VIRGL_BIND_SAMPLER_VIEW);
		r->last_level = 0;
		r->nr_samples = 4;
		break;
	case MODEL_IMAGE:
		shape_2d(model, r, VIRGL_FORMAT_R32UI, VIRGL_BIND_SAMPLER_VIEW);
		break;
	case MODEL_TEXTURE:
		shape_texture(model, r);
		break;
	default:
		shape_buffer(model, r, binds[use]);
	}
}

/* Numbers resources 1, 2 and so on, in the order of both arrays. */
struct script_resource model_make(struct model *model, enum model_use use)
{
	struct script_resource resource = {
		.id = model->next_resource++,
		.height = 1,
		.depth = 1,
		.array_size = 1,
		.attached = true,
	};
	shape(model, &resource, use);
	resource.backing_bytes = backing_bytes(&resource);
	g_array_append_val(model->script->resources, resource);
	g_array_append_val(model->uses, use);
	return resource;
}

struct script_resource model_take(struct model *model, enum model_use use)
{
	unsigned n = 0, wanted;
	for (unsigned i = 0; i < model->uses->len; i++)
		n += g_array_index(model->uses, enum model_use, i) == use;
	wanted = choose(model->choices, n + 1);
	for (unsigned i = 0; i < model->uses->len; i++)
		if (g_array_index(model->uses, enum model_use, i) == use && wanted-- == 0)
			return g_array_index(model->script->resources, struct script_resource, i);
	return model_make(model, use);
}

void model_release(struct model *model, uint32_t resource)
{
	g_array_index(model->uses, enum model_use, resource - 1) = MODEL_USES;
	script_unref(model->script, resource);
}

struct script_resource model_take_texture(struct model *model)
{
	static const enum model_use uses[] = { MODEL_COLOR, MODEL_TEXTURE, MODEL_DEPTH,
		MODEL_IMAGE };
	return model_take(model, uses[choose(model->choices, G_N_ELEMENTS(uses))]);
}

/* ---- objects ---- */

struct model_object *model_add(struct model *model, enum virgl_object_type type)
{
	uint32_t sub_context = model->sub_contexts[model->sub_context];
	struct model_object object = {
		.handle = model->next_handle++,
		.type = (uint8_t)type,
		.sub_context = sub_context,
		.alive = true,
	};
	struct script_object known = { object.handle, object.type, sub_context, true };
	g_array_append_val(model->script->objects, known);
	g_array_append_val(model->objects, object);
	return &g_array_index(model->objects, struct model_object, model->objects->len - 1);
}

static struct model_object *find(
	struct model *model, enum virgl_object_type type, enum virgl_stage stage)
{
	uint32_t sub_context = model->sub_contexts[model->sub_context];
	unsigned start = choose(model->choices, MAX(model->objects->len, 1));
	for (unsigned i = 0; i < model->objects->len; i++) {
		struct model_object *object = &g_array_index(
			model->objects, struct model_object, (start + i) % model->objects->len);
		if (object->alive && object->type == type && object->sub_context == sub_context &&
			object->stage == stage)
			return object;
	}
	return NULL;
}

struct model_object *model_find(struct model *model, enum virgl_object_type type)
{
	return find(model, type, 0);
}

struct model_object *model_find_shader(struct model *model, enum virgl_stage stage)
{
	return find(model, VIRGL_SHADER, stage);
}

void model_forget(struct model *model, uint32_t handle)
{
	for (unsigned i = 0; i < model->objects->len; i++) {
		struct model_object *object =
			&g_array_index(model->objects, struct model_object, i);
		struct script_object *known =
			&g_array_index(model->script->objects, struct script_object, i);
		if (object->handle == handle)
			object->alive = known->alive = false;
	}
}

void model_forget_all(struct model *model)
{
	uint32_t sub_context = model->sub_contexts[model->sub_context];
	for (unsigned i = 0; i < model->objects->len; i++) {
		struct model_object *object =
			&g_array_index(model->objects, struct model_object, i);
		if (object->sub_context == sub_context)
			model_forget(model, object->handle);
	}
}
