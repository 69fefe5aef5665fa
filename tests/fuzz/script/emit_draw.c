/* SPDX-License-Identifier: MIT */
/* Emits commands that draw or compute, and those around them: queries, conditions, streamout. */
#include "tests/fuzz/script/emit.h"

#define VERTICES 6u           /* of a draw */
#define PATCH_VERTICES 3      /* of a patch, as shaders.c's tessellation takes them */
#define GRID_MAX 4u           /* work groups in each direction */
#define DRAW_ARRAYS_BYTES 16u /* GL's DrawArraysIndirectCommand */
#define DISPATCH_BYTES 12u    /* GL's DispatchIndirectCommand */

/* Says what a draw is made of, beyond the state. */
struct draw {
	uint32_t mode, count, indexed, from_streamout;
	bool patches;
};

/* ---- the pipeline ---- */

static void bind_stage(struct model *model, enum virgl_stage stage, bool used)
{
	if (!used) {
		emit_bind_shader(model, stage, 0);
		return;
	}
	struct model_object shader = emit_take_shader(model, stage);
	emit_bind_shader(model, stage, shader.handle);
	emit_needs(model, &shader);
}

static void bind_fixed(struct model *model)
{
	emit_bind(model, VIRGL_BLEND, emit_take(model, VIRGL_BLEND).handle);
	emit_bind(model, VIRGL_DSA, emit_take(model, VIRGL_DSA).handle);
	emit_bind(model, VIRGL_RASTERIZER, emit_take(model, VIRGL_RASTERIZER).handle);
	emit_bind(model, VIRGL_VERTEX_ELEMENTS, emit_take(model, VIRGL_VERTEX_ELEMENTS).handle);
	emit_vertex_buffers(model);
}

/* Binds all that a draw needs; returns what may be drawn with it. */
static struct draw bind_pipeline(struct model *model)
{
	bool tessellates = choose_rarely(model->choices, 8);
	bool has_geometry = choose_rarely(model->choices, 6);
	struct draw draw = {
		.mode = VIRGL_PRIM_TRIANGLES,
		.count = VERTICES,
		.patches = tessellates,
	};
	emit_framebuffer(model);
	bind_fixed(model);
	bind_stage(model, VIRGL_TESS_CTRL, tessellates);
	bind_stage(model, VIRGL_TESS_EVAL, tessellates);
	bind_stage(model, VIRGL_GEOMETRY, has_geometry);
	bind_stage(model, VIRGL_VERTEX, true);
	bind_stage(model, VIRGL_FRAGMENT, true);
	if (tessellates)
		draw.mode = VIRGL_PRIM_PATCHES;
	else if (has_geometry)
		draw.mode = choose_between(
			model->choices, VIRGL_PRIM_TRIANGLES, VIRGL_PRIM_TRIANGLE_FAN);
	else
		draw.mode = choose(model->choices, VIRGL_PRIM_TRIANGLE_FAN + 1);
	return draw;
}

/* ---- DRAW_VBO ---- */

static void put_draw(struct model *model, const struct draw *draw)
{
	struct script *s = model->script;
	struct choices *c = model->choices;
	bool restarts = draw->indexed && choose_rarely(c, 4);
	script_put_number(s, "start", UINT32_MAX, 0);
	script_put_number(s, "count", UINT32_MAX, draw->count);
	script_put_enum(s, "mode", VIRGL_PRIM_PATCHES, draw->mode);
	script_put_enum(s, "indexed", 1, draw->indexed);
	script_put_number(s, "instance count", UINT32_MAX, choose_between(c, 1, 3));
	script_put_any(s, "index bias", draw->indexed ? choose(c, 2) : 0);
	script_put_number(s, "start instance", UINT32_MAX, choose(c, 2));
	script_put_enum(s, "primitive restart", 1, restarts);
	script_put_any(s, "restart index", restarts ? 0xffff : 0);
	script_put_any(s, "min index", 0);
	script_put_any(s, "max index", UINT32_MAX);
	script_put_number(s, "count from streamout", UINT32_MAX, draw->from_streamout);
	if (draw->patches) {
		script_put_number(s, "vertices per patch", 32, PATCH_VERTICES);
		script_put_number(s, "draw id", UINT32_MAX, 0);
	}
}

static void put_indirect(struct model *model, struct script_resource r)
{
	struct script *s = model->script;
	uint32_t n = choose_between(model->choices, 1, 2);
	uint32_t last = r.width - n * DRAW_ARRAYS_BYTES;
	script_put_resource(s, "indirect", r.id);
	script_put_number(s, "indirect offset", last, 16 * choose(model->choices, last / 16));
	script_put_number(s, "indirect stride", 2048, 0);
	script_put_number(s, "indirect draw count", r.width / DRAW_ARRAYS_BYTES, n);
	script_put_number(s, "indirect count offset", r.width - 4, 0);
	script_put_resource(s, "indirect count", 0);
}

static void draw_plain(struct model *model, struct draw draw)
{
	script_begin(model->script, "DRAW_VBO", VIRGL_DRAW_VBO, 0);
	put_draw(model, &draw);
	script_end(model->script);
}

/*
 * Draws by a buffer that holds zeroes, as all memory of the model's guest does, so nothing is
 * drawn.
 */
static void draw_indirect(struct model *model)
{
	struct draw draw = bind_pipeline(model);
	struct script_resource r = model_take(model, MODEL_INDIRECT);
	bool patches = draw.patches;
	draw.patches = true; /* the longer form; without patches it has 0 of them */
	script_begin(model->script, "DRAW_VBO", VIRGL_DRAW_VBO, 0);
	put_draw(model, &draw);
	if (!patches) {
		struct script_field *field = &g_array_index(
			model->script->fields, struct script_field, model->script->fields->len - 2);
		g_array_index(model->script->words, uint32_t, field->word) = 0;
	}
	put_indirect(model, r);
	script_end(model->script);
}

static void draw_indexed(struct model *model)
{
	struct draw draw = bind_pipeline(model);
	struct script *s = model->script;
	struct script_resource r = model_take(model, MODEL_INDICES);
	uint32_t size = 1u << choose(model->choices, 3);
	draw.indexed = 1;
	script_begin(s, "SET_INDEX_BUFFER", VIRGL_SET_INDEX_BUFFER, 0);
	script_put_resource(s, "resource", r.id);
	script_put_number(s, "index size", 4, size);
	script_put_number(s, "offset", r.width - size * VERTICES, size * choose(model->choices, 8));
	script_end(s);
	draw_plain(model, draw);
}

void emit_any_draw(struct model *model)
{
	switch (choose(model->choices, 5)) {
	case 0:
		draw_indexed(model);
		break;
	case 1:
		draw_indirect(model);
		break;
	default:
		draw_plain(model, bind_pipeline(model));
	}
}

/* ---- CLEAR ---- */

static void clear(struct model *model)
{
	struct script *s = model->script;
	uint32_t buffers = emit_framebuffer(model);
	script_begin(s, "CLEAR", VIRGL_CLEAR, 0);
	script_put(s, SCRIPT_FIELD_PACKED, "buffers", UINT32_MAX, buffers);
	for (unsigned i = 0; i < 4; i++)
		script_put_any(s, "colour", 0x3f000000);
	script_put_any(s, "depth (low)", 0);
	script_put_any(s, "depth (high)", 0x3ff00000);
	script_put_any(s, "stencil", choose(model->choices, 256));
	script_end(s);
}

/* ---- streamout ---- */

#define RECORD_WORDS 8u /* two vectors a vertex, as emit_recording_shader() records them */

static void set_targets(struct model *model, uint32_t handle)
{
	struct script *s = model->script;
	script_begin(s, "SET_STREAMOUT_TARGETS", VIRGL_SET_STREAMOUT_TARGETS, 0);
	script_put_any(s, "append bitmask", 0);
	if (handle)
		script_put_object(s, "target", handle);
	script_end(s);
}

void emit_recording_draw(struct model *model)
{
	struct draw draw = { .mode = VIRGL_PRIM_TRIANGLES, .count = VERTICES };
	struct model_object shader = emit_recording_shader(model, RECORD_WORDS);
	struct model_object target = emit_streamout_target(model);
	emit_framebuffer(model);
	bind_fixed(model);
	bind_stage(model, VIRGL_TESS_CTRL, false);
	bind_stage(model, VIRGL_TESS_EVAL, false);
	bind_stage(model, VIRGL_GEOMETRY, false);
	bind_stage(model, VIRGL_FRAGMENT, true);
	emit_bind_shader(model, VIRGL_VERTEX, shader.handle);
	set_targets(model, target.handle);
	draw_plain(model, draw);
	set_targets(model, 0);
}

/* ---- queries ---- */

static void query_command(
	struct model *model, const char *name, enum virgl_command code, uint32_t handle)
{
	script_begin(model->script, name, (uint8_t)code, 0);
	script_put_object(model->script, "query", handle);
	if (code == VIRGL_GET_QUERY_RESULT)
		script_put_enum(model->script, "wait", 1, choose(model->choices, 2));
	script_end(model->script);
}

/* Draws within a query, so that it has counted something. */
static struct model_object query_draw(struct model *model, uint32_t kind)
{
	struct draw draw = bind_pipeline(model);
	struct model_object query = emit_query(model, kind);
	if (kind != VIRGL_QUERY_TIMESTAMP)
		query_command(model, "BEGIN_QUERY", VIRGL_BEGIN_QUERY, query.handle);
	draw_plain(model, draw);
	query_command(model, "END_QUERY", VIRGL_END_QUERY, query.handle);
	return query;
}

static uint32_t any_query_kind(struct model *model)
{
	static const uint8_t kinds[] = { VIRGL_QUERY_OCCLUSION_COUNTER,
		VIRGL_QUERY_OCCLUSION_PREDICATE, VIRGL_QUERY_TIME_ELAPSED, VIRGL_QUERY_TIMESTAMP,
		VIRGL_QUERY_PRIMITIVES_GENERATED, VIRGL_QUERY_PRIMITIVES_EMITTED,
		VIRGL_QUERY_OCCLUSION_PREDICATE_CONSERVATIVE };
	return kinds[choose(model->choices, sizeof(kinds))];
}

static void begin_and_end(struct model *model)
{
	query_draw(model, VIRGL_QUERY_OCCLUSION_COUNTER);
}

static void get_result(struct model *model)
{
	struct model_object query = query_draw(model, any_query_kind(model));
	query_command(model, "GET_QUERY_RESULT", VIRGL_GET_QUERY_RESULT, query.handle);
}

static void get_result_qbo(struct model *model)
{
	struct script *s = model->script;
	struct model_object query = query_draw(model, any_query_kind(model));
	struct script_resource r = model_take(model, MODEL_QUERY_BUFFER);
	script_begin(s, "GET_QUERY_RESULT_QBO", VIRGL_GET_QUERY_RESULT_QBO, 0);
	script_put_object(s, "query", query.handle);
	script_put_resource(s, "qbo", r.id);
	script_put_enum(s, "wait", 1, choose(model->choices, 2));
	script_put_enum(s, "result type", 3, choose(model->choices, 4));
	script_put_number(s, "offset", r.width - 8, 8 * choose(model->choices, 16));
	script_put_any(s, "index", choose_rarely(model->choices, 3) ? UINT32_MAX : 0);
	script_end(s);
}

static void condition(struct model *model, uint32_t query)
{
	struct script *s = model->script;
	script_begin(s, "SET_RENDER_CONDITION", VIRGL_SET_RENDER_CONDITION, 0);
	script_put_object(s, "query", query);
	script_put_enum(s, "condition", 1, query ? choose(model->choices, 2) : 0);
	script_put_enum(s, "mode", 3, query ? choose(model->choices, 4) : 0);
	script_end(s);
}

static void draw_on_condition(struct model *model)
{
	struct model_object query = query_draw(model, VIRGL_QUERY_OCCLUSION_PREDICATE);
	struct draw draw = bind_pipeline(model);
	condition(model, query.handle);
	draw_plain(model, draw);
	condition(model, 0);
}

/* ---- computing ---- */

void emit_any_launch(struct model *model)
{
	struct script *s = model->script;
	struct choices *c = model->choices;
	bind_stage(model, VIRGL_COMPUTE, true);
	struct script_resource r = { 0 };
	uint32_t last = 0;
	if (choose_rarely(c, 4)) {
		r = model_take(model, MODEL_INDIRECT);
		last = r.width - DISPATCH_BYTES;
	}
	script_begin(s, "LAUNCH_GRID", VIRGL_LAUNCH_GRID, 0);
	script_put_number(s, "block x", 1024, 4);
	script_put_number(s, "block y", 1024, 1);
	script_put_number(s, "block z", 64, 1);
	for (unsigned i = 0; i < 3; i++)
		script_put_number(s, "grid", 65535, choose_between(c, 1, GRID_MAX));
	script_put_resource(s, "indirect", r.id);
	script_put_number(s, "indirect offset", last, 4 * choose(c, last / 4 + 1));
	script_end(s);
}

static void memory_barrier(struct model *model)
{
	script_begin(model->script, "MEMORY_BARRIER", VIRGL_MEMORY_BARRIER, 0);
	script_put_any(model->script, "flags", choose_between(model->choices, 1, 0xfff));
	script_end(model->script);
}

static void texture_barrier(struct model *model)
{
	script_begin(model->script, "TEXTURE_BARRIER", VIRGL_TEXTURE_BARRIER, 0);
	script_put_any(model->script, "flags", 1);
	script_end(model->script);
}

static void link_shader(struct model *model)
{
	static const char *const names[VIRGL_STAGES] = { "vertex", "fragment", "geometry",
		"tess control", "tess evaluation", "compute" };
	uint32_t handles[VIRGL_STAGES] = { 0 };
	handles[VIRGL_VERTEX] = emit_take_shader(model, VIRGL_VERTEX).handle;
	handles[VIRGL_FRAGMENT] = emit_take_shader(model, VIRGL_FRAGMENT).handle;
	script_begin(model->script, "LINK_SHADER", VIRGL_LINK_SHADER, 0);
	for (unsigned i = 0; i < VIRGL_STAGES; i++)
		script_put_object(model->script, names[i], handles[i]);
	script_end(model->script);
}

#define ANY(name, weight, emit)                                                                    \
	{                                                                                          \
#name, VIRGL_##name, VIRGL_NONE, weight, emit                                      \
	}

const struct emit_command emit_draw_commands[] = {
	ANY(DRAW_VBO, 4, emit_any_draw),
	ANY(CLEAR, 2, clear),
	ANY(SET_STREAMOUT_TARGETS, 1, emit_recording_draw),
	ANY(BEGIN_QUERY, 1, begin_and_end),
	ANY(END_QUERY, 1, begin_and_end),
	ANY(GET_QUERY_RESULT, 1, get_result),
	ANY(GET_QUERY_RESULT_QBO, 1, get_result_qbo),
	ANY(SET_RENDER_CONDITION, 1, draw_on_condition),
	ANY(LAUNCH_GRID, 2, emit_any_launch),
	ANY(MEMORY_BARRIER, 1, memory_barrier),
	ANY(TEXTURE_BARRIER, 1, texture_barrier),
	ANY(LINK_SHADER, 1, link_shader),
};
const unsigned emit_n_draw_commands = G_N_ELEMENTS(emit_draw_commands);
