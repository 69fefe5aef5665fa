/* SPDX-License-Identifier: MIT */
/* Emits commands that bind objects and set state. */
#include "tests/fuzz/script/emit.h"

#define OFFSET_ALIGNMENT 256u /* what every GL takes for offsets of bound buffers */

static void put_stage(struct model *model, enum virgl_stage stage)
{
	script_put_enum(model->script, "shader type", VIRGL_STAGES - 1, stage);
}

static enum virgl_stage any_stage(struct model *model)
{
	return choose(model->choices, VIRGL_STAGES);
}

/* Says how many slots, and which is the first: most often the first of all. */
struct slots {
	uint32_t start, n;
};

static struct slots choose_slots(struct model *model, uint32_t max, uint32_t n_max)
{
	struct slots slots = { .n = choose_between(model->choices, 1, n_max) };
	if (choose_rarely(model->choices, 4))
		slots.start = choose(model->choices, max - slots.n + 1);
	return slots;
}

static void put_start(struct model *model, uint32_t max, struct slots slots)
{
	script_put_number(model->script, "start slot", max - slots.n, slots.start);
}

void emit_bind(struct model *model, enum virgl_object_type type, uint32_t handle)
{
	static const char *const names[VIRGL_OBJECTS] = {
		[VIRGL_BLEND] = "BIND_OBJECT blend",
		[VIRGL_RASTERIZER] = "BIND_OBJECT rasterizer",
		[VIRGL_DSA] = "BIND_OBJECT dsa",
		[VIRGL_VERTEX_ELEMENTS] = "BIND_OBJECT vertex elements",
	};
	script_begin(model->script, names[type], VIRGL_BIND_OBJECT, (uint8_t)type);
	script_put_object(model->script, "handle", handle);
	script_end(model->script);
}

void emit_bind_shader(struct model *model, enum virgl_stage stage, uint32_t handle)
{
	script_begin(model->script, "BIND_SHADER", VIRGL_BIND_SHADER, 0);
	script_put_object(model->script, "handle", handle);
	put_stage(model, stage);
	script_end(model->script);
}

/* ---- what is drawn on ---- */

static void put_viewport(struct model *model, uint32_t width, uint32_t height)
{
	struct script *s = model->script;
	float half[3] = { (float)width / 2, (float)height / 2, 0.5f };
	for (unsigned i = 0; i < 3; i++)
		script_put_float(s, "scale", half[i]);
	for (unsigned i = 0; i < 3; i++)
		script_put_float(s, "translate", half[i]);
}

static void viewport(struct model *model, struct slots slots, uint32_t width, uint32_t height)
{
	script_begin(model->script, "SET_VIEWPORT_STATE", VIRGL_SET_VIEWPORT_STATE, 0);
	put_start(model, VIRGL_MAX_VIEWPORTS, slots);
	for (uint32_t i = 0; i < slots.n; i++)
		put_viewport(model, width, height);
	script_end(model->script);
}

static void no_attachment(struct model *model, uint32_t width, uint32_t height)
{
	struct script *s = model->script;
	script_begin(
		s, "SET_FRAMEBUFFER_STATE_NO_ATTACH", VIRGL_SET_FRAMEBUFFER_STATE_NO_ATTACH, 0);
	script_put(s, SCRIPT_FIELD_PACKED, "width and height", UINT32_MAX, width | height << 16);
	script_put(s, SCRIPT_FIELD_PACKED, "layers and samples", UINT32_MAX, 0);
	script_end(s);
}

#define CLEAR_DEPTH 1u  /* PIPE_CLEAR_DEPTH */
#define CLEAR_COLOR0 4u /* PIPE_CLEAR_COLOR0, and the other buffers' bits above it */

uint32_t emit_framebuffer(struct model *model)
{
	struct choices *c = model->choices;
	struct script *s = model->script;
	struct model_object colors[3], depth = { 0 };
	bool multisampled = choose_rarely(c, 6), has_depth = !multisampled && choose(c, 2);
	uint32_t n = multisampled ? 1 : choose_between(c, has_depth ? 0 : 1, 3), buffers = 0;
	if (has_depth)
		depth = emit_surface(model, MODEL_DEPTH);
	for (uint32_t i = 0; i < n; i++)
		colors[i] = emit_surface(model, multisampled ? MODEL_MULTISAMPLED : MODEL_COLOR);
	script_begin(s, "SET_FRAMEBUFFER_STATE", VIRGL_SET_FRAMEBUFFER_STATE, 0);
	script_put_number(s, "nr_cbufs", VIRGL_MAX_COLOR_BUFFERS, n);
	script_put_object(s, "zsurf", depth.handle);
	for (uint32_t i = 0; i < n; i++) {
		script_put_object(s, "cbuf", colors[i].handle);
		buffers |= CLEAR_COLOR0 << i;
	}
	script_end(s);
	const struct model_object *first = n > 0 ? &colors[0] : &depth;
	uint32_t width = model_width(&first->resource, first->kind),
		 height = model_height(&first->resource, first->kind);
	if (choose(c, 2))
		no_attachment(model, width, height);
	viewport(model, (struct slots){ 0, 1 }, width, height);
	return buffers | (has_depth ? CLEAR_DEPTH : 0);
}

/* ---- what is read ---- */

void emit_vertex_buffers(struct model *model)
{
	struct script *s = model->script;
	struct script_resource buffers[4];
	uint32_t n = choose_between(model->choices, 2, 4);
	for (uint32_t i = 0; i < n; i++)
		buffers[i] = model_take(model, MODEL_VERTICES);
	script_begin(s, "SET_VERTEX_BUFFERS", VIRGL_SET_VERTEX_BUFFERS, 0);
	for (uint32_t i = 0; i < n; i++) {
		script_put_number(s, "stride", 2048, 32);
		script_put_number(s, "offset", buffers[i].width, 16 * choose(model->choices, 4));
		script_put_resource(s, "resource", buffers[i].id);
	}
	script_end(s);
}

static void index_buffer(struct model *model)
{
	struct script *s = model->script;
	if (choose_rarely(model->choices, 4)) {
		script_begin(s, "SET_INDEX_BUFFER", VIRGL_SET_INDEX_BUFFER, 0);
		script_put_resource(s, "resource", 0);
		script_end(s);
		return;
	}
	struct script_resource r = model_take(model, MODEL_INDICES);
	script_begin(s, "SET_INDEX_BUFFER", VIRGL_SET_INDEX_BUFFER, 0);
	script_put_resource(s, "resource", r.id);
	script_put_number(s, "index size", 4, 1u << choose(model->choices, 3));
	script_put_number(s, "offset", r.width, 64 * choose(model->choices, 4));
	script_end(s);
}

void emit_constants(struct model *model, enum virgl_stage stage)
{
	uint32_t words[4 * SHADER_CONSTANTS * 2];
	uint32_t n = 4 * SHADER_CONSTANTS * choose_between(model->choices, 1, 2);
	for (uint32_t i = 0; i < n; i++)
		words[i] = choose(model->choices, 256) << 22;
	script_begin(model->script, "SET_CONSTANT_BUFFER", VIRGL_SET_CONSTANT_BUFFER, 0);
	put_stage(model, stage);
	script_put_number(model->script, "index", VIRGL_MAX_CONSTANT_BUFFERS - 1, 0);
	script_put_bytes(model->script, SCRIPT_FIELD_ANY, "constants", words, n * 4);
	script_end(model->script);
}

/* Describes a part of a buffer, at least as long as shaders reach. */
struct part {
	struct script_resource resource;
	uint32_t offset, length;
};

static struct part take_part(struct model *model, enum model_use use)
{
	struct part part = { .resource = model_take(model, use) };
	uint32_t n = part.resource.width / OFFSET_ALIGNMENT;
	part.offset = OFFSET_ALIGNMENT * choose(model->choices, n);
	part.length =
		choose(model->choices, 2) ? part.resource.width - part.offset : OFFSET_ALIGNMENT;
	return part;
}

static void put_part(struct model *model, const struct part *part)
{
	script_put_number(
		model->script, "offset", part->resource.width - part->length, part->offset);
	script_put_number(
		model->script, "length", part->resource.width - part->offset, part->length);
	script_put_resource(model->script, "resource", part->resource.id);
}

void emit_uniform_buffer(struct model *model, enum virgl_stage stage, uint32_t index)
{
	struct part part = take_part(model, MODEL_UNIFORMS);
	script_begin(model->script, "SET_UNIFORM_BUFFER", VIRGL_SET_UNIFORM_BUFFER, 0);
	put_stage(model, stage);
	script_put_number(model->script, "index", VIRGL_MAX_CONSTANT_BUFFERS - 1, index);
	put_part(model, &part);
	script_end(model->script);
}

static void set_views(struct model *model, enum virgl_stage stage, struct slots slots,
	struct model_object (*take)(struct model *model))
{
	uint32_t handles[4];
	for (uint32_t i = 0; i < slots.n; i++)
		handles[i] = take(model).handle;
	script_begin(model->script, "SET_SAMPLER_VIEWS", VIRGL_SET_SAMPLER_VIEWS, 0);
	put_stage(model, stage);
	put_start(model, VIRGL_MAX_SAMPLERS, slots);
	for (uint32_t i = 0; i < slots.n; i++)
		script_put_object(model->script, "view", handles[i]);
	script_end(model->script);
}

void emit_sampler_views(struct model *model, enum virgl_stage stage)
{
	set_views(model, stage, (struct slots){ 0, 1 }, emit_sampler_view_2d);
}

static void set_samplers(struct model *model, enum virgl_stage stage, struct slots slots)
{
	uint32_t handles[4];
	for (uint32_t i = 0; i < slots.n; i++)
		handles[i] = emit_take(model, VIRGL_SAMPLER_STATE).handle;
	script_begin(model->script, "BIND_SAMPLER_STATES", VIRGL_BIND_SAMPLER_STATES, 0);
	put_stage(model, stage);
	put_start(model, VIRGL_MAX_SAMPLERS, slots);
	for (uint32_t i = 0; i < slots.n; i++)
		script_put_object(model->script, "state", handles[i]);
	script_end(model->script);
}

void emit_sampler_states(struct model *model, enum virgl_stage stage)
{
	set_samplers(model, stage, (struct slots){ 0, 1 });
}

static void shader_buffers(struct model *model, enum virgl_stage stage, struct slots slots)
{
	struct part parts[4];
	for (uint32_t i = 0; i < slots.n; i++)
		parts[i] = take_part(model, MODEL_SHADER_BUFFER);
	script_begin(model->script, "SET_SHADER_BUFFERS", VIRGL_SET_SHADER_BUFFERS, 0);
	put_stage(model, stage);
	put_start(model, VIRGL_MAX_SHADER_BUFFERS, slots);
	for (uint32_t i = 0; i < slots.n; i++)
		put_part(model, &parts[i]);
	script_end(model->script);
}

void emit_shader_buffers(struct model *model, enum virgl_stage stage)
{
	shader_buffers(model, stage, (struct slots){ 0, 1 });
}

static void atomic_buffers(struct model *model, struct slots slots)
{
	struct part parts[4];
	for (uint32_t i = 0; i < slots.n; i++)
		parts[i] = take_part(model, MODEL_SHADER_BUFFER);
	script_begin(model->script, "SET_ATOMIC_BUFFERS", VIRGL_SET_ATOMIC_BUFFERS, 0);
	put_start(model, VIRGL_MAX_ATOMIC_BUFFERS, slots);
	for (uint32_t i = 0; i < slots.n; i++)
		put_part(model, &parts[i]);
	script_end(model->script);
}

void emit_atomic_buffers(struct model *model)
{
	atomic_buffers(model, (struct slots){ 0, 1 });
}

static void shader_images(struct model *model, enum virgl_stage stage, struct slots slots)
{
	struct script *s = model->script;
	struct script_resource images[4];
	for (uint32_t i = 0; i < slots.n; i++)
		images[i] = model_take(model, MODEL_IMAGE);
	script_begin(s, "SET_SHADER_IMAGES", VIRGL_SET_SHADER_IMAGES, 0);
	put_stage(model, stage);
	put_start(model, VIRGL_MAX_SHADER_IMAGES, slots);
	for (uint32_t i = 0; i < slots.n; i++) {
		script_put_format(s, "format", images[i].format);
		script_put_enum(s, "access", 3, 3);
		script_put(s, SCRIPT_FIELD_PACKED, "layers or offset", UINT32_MAX, 0);
		script_put_number(s, "level or size", images[i].last_level, 0);
		script_put_resource(s, "resource", images[i].id);
	}
	script_end(s);
}

void emit_shader_images(struct model *model, enum virgl_stage stage)
{
	shader_images(model, stage, (struct slots){ 0, 1 });
}

void emit_needs(struct model *model, const struct model_object *shader)
{
	if (shader->needs.constants)
		emit_constants(model, shader->stage);
	if (shader->needs.uniform_buffer)
		emit_uniform_buffer(model, shader->stage, 1);
	if (shader->needs.sampler) {
		emit_sampler_views(model, shader->stage);
		emit_sampler_states(model, shader->stage);
	}
	if (shader->needs.buffer)
		emit_shader_buffers(model, shader->stage);
	if (shader->needs.image)
		emit_shader_images(model, shader->stage);
	if (shader->needs.atomic)
		emit_atomic_buffers(model);
}

/* ---- by name ---- */

static void bind_blend(struct model *model)
{
	emit_bind(model, VIRGL_BLEND, emit_take(model, VIRGL_BLEND).handle);
}

static void bind_rasterizer(struct model *model)
{
	emit_bind(model, VIRGL_RASTERIZER, emit_take(model, VIRGL_RASTERIZER).handle);
}

static void bind_dsa(struct model *model)
{
	emit_bind(model, VIRGL_DSA, emit_take(model, VIRGL_DSA).handle);
}

static void bind_vertex_elements(struct model *model)
{
	emit_bind(model, VIRGL_VERTEX_ELEMENTS, emit_take(model, VIRGL_VERTEX_ELEMENTS).handle);
}

static void any_bind_shader(struct model *model)
{
	enum virgl_stage stage = any_stage(model);
	emit_bind_shader(model, stage, emit_take_shader(model, stage).handle);
}

static void any_framebuffer(struct model *model)
{
	emit_framebuffer(model);
}

static void any_viewport(struct model *model)
{
	viewport(model, choose_slots(model, VIRGL_MAX_VIEWPORTS, 4), 32, 32);
}

static void any_constants(struct model *model)
{
	emit_constants(model, any_stage(model));
}

static void any_uniform_buffer(struct model *model)
{
	emit_uniform_buffer(model, any_stage(model), choose_between(model->choices, 1, 12));
}

static void any_views(struct model *model)
{
	set_views(model, any_stage(model), choose_slots(model, VIRGL_MAX_SAMPLERS, 4),
		emit_sampler_view);
}

static void any_samplers(struct model *model)
{
	set_samplers(model, any_stage(model), choose_slots(model, VIRGL_MAX_SAMPLERS, 4));
}

static void any_shader_buffers(struct model *model)
{
	shader_buffers(model, any_stage(model), choose_slots(model, VIRGL_MAX_SHADER_BUFFERS, 4));
}

static void any_atomic_buffers(struct model *model)
{
	/* We use few slots, as llvmpipe has eight in all. */
	atomic_buffers(model, choose_slots(model, 8, 4));
}

static void any_shader_images(struct model *model)
{
	shader_images(model, any_stage(model), choose_slots(model, VIRGL_MAX_SHADER_IMAGES, 4));
}

static void no_attachment_any(struct model *model)
{
	emit_framebuffer(model);
	no_attachment(model, choose_between(model->choices, 1, 64), 32);
}

static void stencil_ref(struct model *model)
{
	script_begin(model->script, "SET_STENCIL_REF", VIRGL_SET_STENCIL_REF, 0);
	script_put_any(model->script, "ref", choose(model->choices, 65536));
	script_end(model->script);
}

static void blend_color(struct model *model)
{
	script_begin(model->script, "SET_BLEND_COLOR", VIRGL_SET_BLEND_COLOR, 0);
	for (unsigned i = 0; i < 4; i++)
		script_put_float(
			model->script, "colour", (float)choose(model->choices, 256) / 255.0f);
	script_end(model->script);
}

static void scissor(struct model *model)
{
	struct script *s = model->script;
	struct slots slots = choose_slots(model, VIRGL_MAX_VIEWPORTS, 4);
	script_begin(s, "SET_SCISSOR_STATE", VIRGL_SET_SCISSOR_STATE, 0);
	put_start(model, VIRGL_MAX_VIEWPORTS, slots);
	for (uint32_t i = 0; i < slots.n; i++) {
		script_put(s, SCRIPT_FIELD_PACKED, "min", UINT32_MAX, choose(model->choices, 32));
		script_put(s, SCRIPT_FIELD_PACKED, "max", UINT32_MAX,
			choose_between(model->choices, 32, 64) | 64u << 16);
	}
	script_end(s);
}

static void polygon_stipple(struct model *model)
{
	script_begin(model->script, "SET_POLYGON_STIPPLE", VIRGL_SET_POLYGON_STIPPLE, 0);
	for (unsigned i = 0; i < 32; i++)
		script_put_any(model->script, "row", 0x5555u << choose(model->choices, 16));
	script_end(model->script);
}

static void clip(struct model *model)
{
	script_begin(model->script, "SET_CLIP_STATE", VIRGL_SET_CLIP_STATE, 0);
	for (unsigned i = 0; i < 4 * VIRGL_MAX_CLIP_PLANES; i++)
		script_put_float(model->script, "plane", (float)choose(model->choices, 3));
	script_end(model->script);
}

static void sample_mask(struct model *model)
{
	script_begin(model->script, "SET_SAMPLE_MASK", VIRGL_SET_SAMPLE_MASK, 0);
	script_put_any(model->script, "mask", choose(model->choices, 2) ? UINT32_MAX : 5);
	script_end(model->script);
}

static void min_samples(struct model *model)
{
	script_begin(model->script, "SET_MIN_SAMPLES", VIRGL_SET_MIN_SAMPLES, 0);
	script_put_number(model->script, "samples", 32, choose_between(model->choices, 1, 4));
	script_end(model->script);
}

static void tess(struct model *model)
{
	script_begin(model->script, "SET_TESS_STATE", VIRGL_SET_TESS_STATE, 0);
	for (unsigned i = 0; i < 6; i++)
		script_put_float(
			model->script, "level", (float)choose_between(model->choices, 1, 4));
	script_end(model->script);
}

#define ANY(name, weight, emit)                                                                    \
	{                                                                                          \
#name, VIRGL_##name, VIRGL_NONE, weight, emit                                      \
	}

const struct emit_command emit_state_commands[] = {
	{ "BIND_OBJECT blend", VIRGL_BIND_OBJECT, VIRGL_BLEND, 1, bind_blend },
	{ "BIND_OBJECT rasterizer", VIRGL_BIND_OBJECT, VIRGL_RASTERIZER, 1, bind_rasterizer },
	{ "BIND_OBJECT dsa", VIRGL_BIND_OBJECT, VIRGL_DSA, 1, bind_dsa },
	{ "BIND_OBJECT vertex elements", VIRGL_BIND_OBJECT, VIRGL_VERTEX_ELEMENTS, 1,
		bind_vertex_elements },
	ANY(BIND_SHADER, 3, any_bind_shader),
	ANY(SET_VIEWPORT_STATE, 2, any_viewport),
	ANY(SET_FRAMEBUFFER_STATE, 2, any_framebuffer),
	ANY(SET_FRAMEBUFFER_STATE_NO_ATTACH, 1, no_attachment_any),
	ANY(SET_VERTEX_BUFFERS, 2, emit_vertex_buffers),
	ANY(SET_INDEX_BUFFER, 2, index_buffer),
	ANY(SET_CONSTANT_BUFFER, 2, any_constants),
	ANY(SET_UNIFORM_BUFFER, 2, any_uniform_buffer),
	ANY(SET_SAMPLER_VIEWS, 3, any_views),
	ANY(BIND_SAMPLER_STATES, 2, any_samplers),
	ANY(SET_SHADER_BUFFERS, 2, any_shader_buffers),
	ANY(SET_ATOMIC_BUFFERS, 2, any_atomic_buffers),
	ANY(SET_SHADER_IMAGES, 2, any_shader_images),
	ANY(SET_STENCIL_REF, 1, stencil_ref),
	ANY(SET_BLEND_COLOR, 1, blend_color),
	ANY(SET_SCISSOR_STATE, 1, scissor),
	ANY(SET_POLYGON_STIPPLE, 1, polygon_stipple),
	ANY(SET_CLIP_STATE, 1, clip),
	ANY(SET_SAMPLE_MASK, 1, sample_mask),
	ANY(SET_MIN_SAMPLES, 1, min_samples),
	ANY(SET_TESS_STATE, 1, tess),
};
const unsigned emit_n_state_commands = G_N_ELEMENTS(emit_state_commands);
