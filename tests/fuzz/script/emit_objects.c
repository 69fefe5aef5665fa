/* SPDX-License-Identifier: MIT */
/* Emits CREATE_OBJECT of every kind, and DESTROY_OBJECT. */
#include <string.h>

#include "tests/fuzz/script/emit.h"

/*
 * Gives room to the parser, which takes less than a token a character. Mesa's largest shaders have
 * some thousand.
 */
#define TOKENS_MAX 0xffffu
#define LOCAL_BYTES 64u /* shared memory of a compute shader */

static struct model_object begin(struct model *model, const char *name, enum virgl_object_type type)
{
	struct model_object object = *model_add(model, type);
	script_begin(model->script, name, VIRGL_CREATE_OBJECT, (uint8_t)type);
	script_put_new(model->script, object.handle);
	return object;
}

/* Ends the command and notes in the model what is known of the object. */
static struct model_object end(struct model *model, struct model_object object)
{
	script_end(model->script);
	for (unsigned i = 0; i < model->objects->len; i++) {
		struct model_object *known = &g_array_index(model->objects, struct model_object, i);
		if (known->handle == object.handle)
			*known = object;
	}
	return object;
}

static void put_packed(struct model *model, const char *name, uint32_t value)
{
	script_put(model->script, SCRIPT_FIELD_PACKED, name, UINT32_MAX, value);
}

/*
 * Returns one of Gallium's PIPE_BLENDFACTOR_*, without those of a second source: few shaders have
 * one.
 */
static uint32_t blend_factor(struct model *model)
{
	static const uint8_t factors[] = { 1, 2, 3, 4, 5, 6, 7, 8, 17, 18, 19, 20, 21, 23, 24 };
	return factors[choose(model->choices, sizeof(factors))];
}

static uint32_t blend_target(struct model *model)
{
	static const uint8_t factor_shifts[] = { 4, 9, 17, 22 };
	/* These are enabled, function of colour and of alpha, mask. */
	uint32_t target = CHOOSE_BITS(model->choices, { 2, 0 }, { 5, 1 }, { 5, 14 }, { 16, 27 });
	for (unsigned i = 0; i < sizeof(factor_shifts); i++)
		target |= blend_factor(model) << factor_shifts[i];
	return target;
}

struct model_object emit_blend(struct model *model)
{
	struct choices *c = model->choices;
	struct model_object object = begin(model, "CREATE_OBJECT blend", VIRGL_BLEND);
	bool independent = choose(c, 2);
	uint32_t target = 0;
	put_packed(model, "S0", independent | choose(c, 2) << 2);
	put_packed(model, "S1 logicop", choose(c, 16));
	for (unsigned i = 0; i < VIRGL_MAX_COLOR_BUFFERS; i++) {
		if (i == 0 || independent)
			target = blend_target(model);
		put_packed(model, "S2 target", target);
	}
	return end(model, object);
}

struct model_object emit_dsa(struct model *model)
{
	struct choices *c = model->choices;
	struct model_object object = begin(model, "CREATE_OBJECT dsa", VIRGL_DSA);
	put_packed(model, "S0", CHOOSE_BITS(c, { 2, 0 }, { 2, 1 }, { 8, 2 }));
	for (unsigned i = 0; i < 2; i++)
		put_packed(model, "S1 stencil",
			CHOOSE_BITS(c, { 2, 0 }, { 8, 1 }, { 8, 4 }, { 8, 7 }, { 8, 10 },
				{ 256, 13 }, { 256, 21 }));
	script_put_float(model->script, "alpha ref", 0.5f);
	return end(model, object);
}

struct model_object emit_rasterizer(struct model *model)
{
	struct choices *c = model->choices;
	struct model_object object = begin(model, "CREATE_OBJECT rasterizer", VIRGL_RASTERIZER);
	uint32_t fill = choose(c, 3);
	/*
	 * These are flat shading, discarding, culling, filling, scissors, facing, offsets and pixel
	 * centres, without anything that a core profile lacks.
	 */
	uint32_t s0 =
		CHOOSE_BITS(c, { 2, 0 }, { 4, 8 }, { 2, 14 }, { 2, 15 }, { 8, 18 }, { 2, 24 });
	s0 |= 1u << 1 | fill << 10 | fill << 12 | 1u << 29 | 1u << 30;
	put_packed(model, "S0", s0 | (uint32_t)choose_rarely(c, 8) << 3);
	script_put_float(model->script, "point size", 1.0f + (float)choose(c, 4));
	put_packed(model, "sprite coord enable", choose(c, 2));
	put_packed(model, "S3 stipple and clip planes", 0);
	script_put_float(model->script, "line width", 1.0f);
	script_put_float(model->script, "offset units", (float)choose(c, 3));
	script_put_float(model->script, "offset scale", (float)choose(c, 3));
	script_put_float(model->script, "offset clamp", 0.0f);
	return end(model, object);
}

/* ---- shaders ---- */

/* Emits one command of a shader's text: all of it, or what follows an earlier part. */
static void put_shader(struct model *model, enum virgl_stage stage, const char *text,
	uint32_t start, uint32_t n_bytes)
{
	uint32_t all = (uint32_t)strlen(text) + 1;
	struct script *s = model->script;
	script_put_enum(s, "type", VIRGL_STAGES - 1, stage);
	if (start == 0)
		script_put_number(s, "text length", all, all);
	else
		script_put_number(s, "text offset", start | VIRGL_SHADER_CONTINUES,
			start | VIRGL_SHADER_CONTINUES);
	script_put_number(s, "tokens", TOKENS_MAX, all);
	if (stage == VIRGL_COMPUTE)
		script_put_number(s, "local memory", 32768, LOCAL_BYTES);
	else
		script_put_number(s, "stream outputs", VIRGL_MAX_SO_OUTPUTS, 0);
	script_put_bytes(s, SCRIPT_FIELD_TEXT, "text", text + start, n_bytes);
}

static void continue_shader(struct model *model, uint32_t handle, enum virgl_stage stage,
	const char *text, uint32_t start)
{
	script_begin(model->script, "CREATE_OBJECT shader", VIRGL_CREATE_OBJECT, VIRGL_SHADER);
	script_put_object(model->script, "handle", handle);
	put_shader(model, stage, text, start, (uint32_t)strlen(text) + 1 - start);
	script_end(model->script);
}

struct model_object emit_shader(struct model *model, enum virgl_stage stage)
{
	struct model_object object;
	struct shader_needs needs;
	g_autofree char *text = shader_make(model->choices, stage, &needs);
	uint32_t all = (uint32_t)strlen(text) + 1, first = all;
	/* We cut the text sometimes, as Mesa does where its buffer is full. */
	if (choose_rarely(model->choices, 4))
		first = 4 * choose_between(model->choices, 1, (all - 4) / 4);
	object = begin(model, "CREATE_OBJECT shader", VIRGL_SHADER);
	object.stage = stage;
	object.needs = needs;
	put_shader(model, stage, text, 0, first);
	object = end(model, object);
	if (first < all)
		continue_shader(model, object.handle, stage, text, first);
	return object;
}

struct model_object emit_recording_shader(struct model *model, uint32_t stride)
{
	struct script *s = model->script;
	g_autofree char *text = shader_make_plain_vertex();
	uint32_t all = (uint32_t)strlen(text) + 1;
	struct model_object object = begin(model, "CREATE_OBJECT shader", VIRGL_SHADER);
	object.stage = VIRGL_VERTEX;
	script_put_enum(s, "type", VIRGL_STAGES - 1, VIRGL_VERTEX);
	script_put_number(s, "text length", all, all);
	script_put_number(s, "tokens", TOKENS_MAX, all);
	script_put_number(s, "stream outputs", VIRGL_MAX_SO_OUTPUTS, 2);
	for (unsigned i = 0; i < VIRGL_MAX_SO_BUFFERS; i++)
		script_put_number(s, "stride", 64, i == 0 ? stride : 0);
	for (unsigned i = 0; i < 2; i++) {
		/*
		 * These are the register, first component 0, four of them, buffer 0, and where in
		 * it (in words).
		 */
		put_packed(model, "stream output", i | 4u << 10 | i * 4u << 16);
		script_put_number(s, "stream", 3, 0);
	}
	script_put_bytes(s, SCRIPT_FIELD_TEXT, "text", text, all);
	return end(model, object);
}

/* ---- what reads and writes resources ---- */

struct model_object emit_vertex_elements(struct model *model)
{
	static const uint32_t formats[] = { VIRGL_FORMAT_R32G32B32A32F, VIRGL_FORMAT_R32G32B32F,
		VIRGL_FORMAT_R32G32F, VIRGL_FORMAT_R8G8B8A8 };
	struct choices *c = model->choices;
	struct script *s = model->script;
	struct model_object object =
		begin(model, "CREATE_OBJECT vertex elements", VIRGL_VERTEX_ELEMENTS);
	object.kind = choose_between(c, 2, 4);
	for (unsigned i = 0; i < object.kind; i++) {
		script_put_number(s, "src offset", 2047, 16 * (i % 2));
		script_put_number(s, "instance divisor", UINT32_MAX, choose(c, 2));
		script_put_number(s, "vertex buffer", VIRGL_MAX_ATTRIBS - 1, choose(c, 2));
		script_put_format(s, "src format", formats[choose(c, G_N_ELEMENTS(formats))]);
	}
	return end(model, object);
}

static void put_view_range(struct model *model, const struct script_resource *r)
{
	struct script *s = model->script;
	if (r->target == VIRGL_BUFFER) {
		uint32_t n = r->width / 4;
		script_put_number(s, "first element", n - 1, choose(model->choices, 2) * 64);
		script_put_number(s, "last element", n - 1, n - 1);
		return;
	}
	uint32_t layers = r->target == VIRGL_TEXTURE_3D ? 1 : r->array_size;
	uint32_t level = choose(model->choices, r->last_level + 1);
	put_packed(model, "layers", (layers - 1) << 16);
	put_packed(model, "levels", level | r->last_level << 8);
}

static struct model_object view_of(struct model *model, struct script_resource r)
{
	struct choices *c = model->choices;
	struct model_object object = begin(model, "CREATE_OBJECT sampler view", VIRGL_SAMPLER_VIEW);
	object.resource = r;
	script_put_resource(model->script, "resource", r.id);
	/* We put the view's target above the format, as Mesa does since version 20. */
	script_put_format(model->script, "format", r.format | r.target << 24);
	put_view_range(model, &r);
	put_packed(model, "swizzle", CHOOSE_BITS(c, { 6, 0 }, { 6, 3 }, { 6, 6 }, { 6, 9 }));
	return end(model, object);
}

struct model_object emit_sampler_view(struct model *model)
{
	if (!choose_rarely(model->choices, 4))
		return view_of(model, model_take_texture(model));
	struct script_resource r = model_take(model, MODEL_TEXELS);
	r.format = VIRGL_FORMAT_R8G8B8A8;
	return view_of(model, r);
}

struct model_object emit_sampler_view_2d(struct model *model)
{
	return view_of(model, model_take(model, MODEL_COLOR));
}

struct model_object emit_sampler_state(struct model *model)
{
	struct choices *c = model->choices;
	struct model_object object =
		begin(model, "CREATE_OBJECT sampler state", VIRGL_SAMPLER_STATE);
	static const uint8_t wraps[] = { 0, 2, 3,
		4 }; /* PIPE_TEX_WRAP_*, those of a core profile */
	/* These are filters, comparison, seamless cube maps and anisotropy. */
	uint32_t s0 =
		CHOOSE_BITS(c, { 2, 9 }, { 3, 11 }, { 2, 13 }, { 8, 16 }, { 2, 19 }, { 5, 20 });
	for (unsigned i = 0; i < 3; i++)
		s0 |= (uint32_t)wraps[choose(c, 4)] << 3 * i;
	put_packed(model, "S0", s0);
	script_put_float(model->script, "lod bias", 0.0f);
	script_put_float(model->script, "min lod", 0.0f);
	script_put_float(model->script, "max lod", (float)choose(c, 16));
	for (unsigned i = 0; i < 4; i++)
		script_put_any(model->script, "border colour", choose(c, 256));
	return end(model, object);
}

static void put_surface(struct model *model, struct model_object *object, enum model_use use)
{
	struct script_resource r = model_take(model, use);
	object->resource = r;
	object->kind = choose(model->choices, r.last_level + 1);
	script_put_resource(model->script, "resource", r.id);
	script_put_format(model->script, "format", r.format);
	script_put_number(model->script, "level", r.last_level, object->kind);
	put_packed(model, "layers", 0);
}

struct model_object emit_surface(struct model *model, enum model_use use)
{
	struct model_object object = begin(model, "CREATE_OBJECT surface", VIRGL_SURFACE);
	put_surface(model, &object, use);
	return end(model, object);
}

/* Leaves the samples 0, as they must be without EXT_multisampled_render_to_texture on the host. */
struct model_object emit_msaa_surface(struct model *model)
{
	struct model_object object = begin(model, "CREATE_OBJECT msaa surface", VIRGL_MSAA_SURFACE);
	put_surface(model, &object, MODEL_COLOR);
	script_put_number(model->script, "samples", 0, 0);
	return end(model, object);
}

struct model_object emit_query(struct model *model, uint32_t kind)
{
	struct model_object object = begin(model, "CREATE_OBJECT query", VIRGL_QUERY);
	object.resource = model_take(model, MODEL_QUERY);
	object.kind = kind;
	put_packed(model, "type and index", kind);
	script_put_number(model->script, "offset", 0, 0);
	script_put_resource(model->script, "resource", object.resource.id);
	return end(model, object);
}

struct model_object emit_streamout_target(struct model *model)
{
	struct model_object object =
		begin(model, "CREATE_OBJECT streamout target", VIRGL_STREAMOUT_TARGET);
	struct script_resource r = model_take(model, MODEL_STREAMOUT);
	uint32_t offset = 64 * choose(model->choices, 4);
	object.resource = r;
	script_put_resource(model->script, "resource", r.id);
	script_put_number(model->script, "offset", r.width - 64, offset);
	script_put_number(model->script, "size", r.width - offset, r.width - offset);
	return end(model, object);
}

/* ---- destroying, and taking ---- */

void emit_destroy(struct model *model, const struct model_object *object)
{
	script_begin(model->script, "DESTROY_OBJECT", VIRGL_DESTROY_OBJECT, object->type);
	script_put_object(model->script, "handle", object->handle);
	script_end(model->script);
	model_forget(model, object->handle);
}

static struct model_object make(struct model *model, enum virgl_object_type type)
{
	switch (type) {
	case VIRGL_BLEND:
		return emit_blend(model);
	case VIRGL_RASTERIZER:
		return emit_rasterizer(model);
	case VIRGL_DSA:
		return emit_dsa(model);
	case VIRGL_VERTEX_ELEMENTS:
		return emit_vertex_elements(model);
	case VIRGL_SAMPLER_VIEW:
		return emit_sampler_view(model);
	case VIRGL_SAMPLER_STATE:
		return emit_sampler_state(model);
	case VIRGL_STREAMOUT_TARGET:
		return emit_streamout_target(model);
	default:
		g_assert_not_reached();
	}
}

struct model_object emit_take(struct model *model, enum virgl_object_type type)
{
	struct model_object *object = model_find(model, type);
	if (!object || choose_rarely(model->choices, 4))
		return make(model, type);
	return *object;
}

struct model_object emit_take_shader(struct model *model, enum virgl_stage stage)
{
	struct model_object *object = model_find_shader(model, stage);
	if (!object || choose_rarely(model->choices, 4))
		return emit_shader(model, stage);
	return *object;
}

/* ---- by name ---- */

static void any_blend(struct model *model)
{
	emit_blend(model);
}

static void any_rasterizer(struct model *model)
{
	emit_rasterizer(model);
}

static void any_dsa(struct model *model)
{
	emit_dsa(model);
}

static void any_shader(struct model *model)
{
	if (choose_rarely(model->choices, 4)) {
		emit_recording_draw(model);
		return;
	}
	emit_shader(model, choose(model->choices, VIRGL_STAGES));
}

static void any_vertex_elements(struct model *model)
{
	emit_vertex_elements(model);
}

static void any_sampler_view(struct model *model)
{
	emit_sampler_view(model);
}

static void any_sampler_state(struct model *model)
{
	emit_sampler_state(model);
}

static void any_surface(struct model *model)
{
	emit_surface(model, choose(model->choices, 2) ? MODEL_COLOR : MODEL_DEPTH);
}

static void any_msaa_surface(struct model *model)
{
	emit_msaa_surface(model);
}

static void any_query(struct model *model)
{
	emit_query(model, VIRGL_QUERY_OCCLUSION_COUNTER);
}

static void any_streamout_target(struct model *model)
{
	emit_streamout_target(model);
}

static void destroy_any(struct model *model)
{
	static const uint8_t types[] = { VIRGL_BLEND, VIRGL_RASTERIZER, VIRGL_DSA,
		VIRGL_VERTEX_ELEMENTS, VIRGL_SAMPLER_VIEW, VIRGL_SAMPLER_STATE };
	uint8_t type = types[choose(model->choices, sizeof(types))];
	struct model_object object = emit_take(model, type);
	emit_destroy(model, &object);
}

const struct emit_command emit_object_commands[] = {
	{ "CREATE_OBJECT blend", VIRGL_CREATE_OBJECT, VIRGL_BLEND, 2, any_blend },
	{ "CREATE_OBJECT rasterizer", VIRGL_CREATE_OBJECT, VIRGL_RASTERIZER, 2, any_rasterizer },
	{ "CREATE_OBJECT dsa", VIRGL_CREATE_OBJECT, VIRGL_DSA, 2, any_dsa },
	{ "CREATE_OBJECT shader", VIRGL_CREATE_OBJECT, VIRGL_SHADER, 3, any_shader },
	{ "CREATE_OBJECT vertex elements", VIRGL_CREATE_OBJECT, VIRGL_VERTEX_ELEMENTS, 2,
		any_vertex_elements },
	{ "CREATE_OBJECT sampler view", VIRGL_CREATE_OBJECT, VIRGL_SAMPLER_VIEW, 3,
		any_sampler_view },
	{ "CREATE_OBJECT sampler state", VIRGL_CREATE_OBJECT, VIRGL_SAMPLER_STATE, 2,
		any_sampler_state },
	{ "CREATE_OBJECT surface", VIRGL_CREATE_OBJECT, VIRGL_SURFACE, 2, any_surface },
	{ "CREATE_OBJECT msaa surface", VIRGL_CREATE_OBJECT, VIRGL_MSAA_SURFACE, 1,
		any_msaa_surface },
	{ "CREATE_OBJECT query", VIRGL_CREATE_OBJECT, VIRGL_QUERY, 1, any_query },
	{ "CREATE_OBJECT streamout target", VIRGL_CREATE_OBJECT, VIRGL_STREAMOUT_TARGET, 1,
		any_streamout_target },
	{ "DESTROY_OBJECT", VIRGL_DESTROY_OBJECT, VIRGL_NONE, 3, destroy_any },
};
const unsigned emit_n_object_commands = G_N_ELEMENTS(emit_object_commands);
