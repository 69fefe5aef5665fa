/* SPDX-License-Identifier: MIT */
/* Emits commands that move pixels and data, that make resources, and that manage the context. */
#include <string.h>

#include "tests/fuzz/script/emit.h"

#define INLINE_BYTES_MAX 4096u
#define MASK_RGBA 0xfu /* PIPE_MASK_RGBA */
#define MEMORY_INFO_BYTES 24u

struct box {
	uint32_t level, x, y, z, width, height, depth;
};

/* Chooses a part of one level that is not empty. */
static struct box choose_box(struct model *model, const struct script_resource *r)
{
	struct choices *c = model->choices;
	struct box box = { .level = choose(c, r->last_level + 1) };
	uint32_t width = model_width(r, box.level), height = model_height(r, box.level),
		 layers = model_layers(r, box.level);
	/* We choose one layer, as the renderer moves one layer of these at a time. */
	if (r->target == VIRGL_TEXTURE_CUBE || r->target == VIRGL_TEXTURE_1D_ARRAY)
		layers = 1;
	if (choose(c, 2)) {
		box.width = width;
		box.height = height;
		box.depth = layers;
		return box;
	}
	box.x = choose(c, width);
	box.y = choose(c, height);
	box.z = choose(c, layers);
	box.width = choose_between(c, 1, width - box.x);
	box.height = choose_between(c, 1, height - box.y);
	box.depth = choose_between(c, 1, layers - box.z);
	return box;
}

static void put_box(struct model *model, const struct script_resource *r, const struct box *box)
{
	struct script *s = model->script;
	uint32_t width = model_width(r, box->level), height = model_height(r, box->level),
		 layers = model_layers(r, box->level);
	script_put_number(s, "x", width - box->width, box->x);
	script_put_number(s, "y", height - box->height, box->y);
	script_put_number(s, "z", layers - box->depth, box->z);
	script_put_number(s, "width", width - box->x, box->width);
	script_put_number(s, "height", height - box->y, box->height);
	script_put_number(s, "depth", layers - box->z, box->depth);
}

static struct script_resource take_movable(struct model *model)
{
	static const enum model_use uses[] = { MODEL_VERTICES, MODEL_UNIFORMS, MODEL_SHADER_BUFFER,
		MODEL_COLOR, MODEL_TEXTURE, MODEL_COLOR, MODEL_TEXTURE };
	return model_take(model, uses[choose(model->choices, G_N_ELEMENTS(uses))]);
}

static void put_transfer(struct model *model, const struct script_resource *r,
	const struct box *box, uint32_t stride, uint32_t layer_stride)
{
	struct script *s = model->script;
	script_put_resource(s, "resource", r->id);
	script_put_number(s, "level", r->last_level, box->level);
	script_put_any(s, "usage", 0);
	script_put_number(s, "stride", stride, stride);
	script_put_number(s, "layer stride", layer_stride, layer_stride);
	put_box(model, r, box);
}

/* Both give sizes in bytes for a box whose rows and layers lie one after the other. */
static uint32_t box_stride(const struct script_resource *r, const struct box *box)
{
	return box->width * script_pixel_bytes(r->format);
}

static uint32_t box_bytes(const struct script_resource *r, const struct box *box)
{
	return box_stride(r, box) * box->height * box->depth;
}

static void inline_write(struct model *model)
{
	static uint8_t data[INLINE_BYTES_MAX];
	struct script_resource r = take_movable(model);
	struct box box = choose_box(model, &r);
	if (box_bytes(&r, &box) > sizeof(data)) {
		box.width = MIN(box.width, 4);
		box.height = MIN(box.height, 4);
		box.depth = MIN(box.depth, 1);
	}
	uint32_t stride = box_stride(&r, &box), bytes = box_bytes(&r, &box);
	memset(data, (int)choose(model->choices, 256), sizeof(data));
	script_begin(model->script, "RESOURCE_INLINE_WRITE", VIRGL_RESOURCE_INLINE_WRITE, 0);
	put_transfer(model, &r, &box, stride, stride * box.height);
	script_put_bytes(model->script, SCRIPT_FIELD_ANY, "data", data, bytes);
	script_end(model->script);
}

/* Emits a transfer, in which strides of 0 are those of the level, as Mesa sends them. */
static void transfer(struct model *model)
{
	struct choices *c = model->choices;
	struct script_resource r = take_movable(model);
	struct box box = choose_box(model, &r);
	uint32_t row = model_width(&r, box.level) * script_pixel_bytes(r.format);
	uint32_t layer = row * model_height(&r, box.level);
	uint32_t bytes = (box.depth - 1) * layer + (box.height - 1) * row + box_stride(&r, &box);
	uint32_t last = r.backing_bytes - bytes;
	bool is_explicit = choose(c, 2);
	script_begin(model->script, "TRANSFER3D", VIRGL_TRANSFER3D, 0);
	put_transfer(model, &r, &box, is_explicit ? row : 0, is_explicit ? layer : 0);
	script_put_number(model->script, "data offset", last, choose(c, 2) ? last / 16 * 16 : 0);
	script_put_enum(model->script, "direction", VIRGL_TRANSFER_FROM_HOST,
		choose_between(c, VIRGL_TRANSFER_TO_HOST, VIRGL_TRANSFER_FROM_HOST));
	script_end(model->script);
}

static void end_transfers(struct model *model)
{
	static const uint32_t nothing[16];
	uint32_t n = choose(model->choices, 16);
	transfer(model);
	script_begin(model->script, "END_TRANSFERS", VIRGL_END_TRANSFERS, 0);
	script_put_bytes(model->script, SCRIPT_FIELD_ANY, "filling", nothing, n * 4);
	script_end(model->script);
}

static void copy_transfer(struct model *model)
{
	struct choices *c = model->choices;
	struct script *s = model->script;
	struct script_resource r = take_movable(model), from = model_take(model, MODEL_STAGING);
	struct box box = choose_box(model, &r);
	if (box_bytes(&r, &box) > from.width) {
		box.width = MIN(box.width, 4);
		box.height = MIN(box.height, 4);
		box.depth = MIN(box.depth, 1);
	}
	uint32_t stride = box_stride(&r, &box);
	uint32_t last = from.width - box_bytes(&r, &box);
	script_begin(s, "COPY_TRANSFER3D", VIRGL_COPY_TRANSFER3D, 0);
	put_transfer(model, &r, &box, stride, stride * box.height);
	script_put_resource(s, "source", from.id);
	script_put_number(s, "source offset", last, choose(c, 2) ? last / 16 * 16 : 0);
	script_put_any(s, "flags",
		VIRGL_COPY_TRANSFER_SYNCHRONIZED |
			(choose(c, 2) ? VIRGL_COPY_TRANSFER_FROM_HOST : 0));
	script_end(s);
}

/* ---- copies between textures ---- */

static void put_blit_side(struct model *model, const struct script_resource *r, struct box box)
{
	script_put_resource(model->script, "resource", r->id);
	script_put_number(model->script, "level", r->last_level, box.level);
	script_put_format(model->script, "format", r->format);
	put_box(model, r, &box);
}

static void blit(struct model *model)
{
	struct choices *c = model->choices;
	struct script *s = model->script;
	struct script_resource to = model_take(model, MODEL_COLOR),
			       from = model_make(model, MODEL_COLOR);
	struct box to_box = choose_box(model, &to), from_box = choose_box(model, &from);
	script_begin(s, "BLIT", VIRGL_BLIT, 0);
	script_put(s, SCRIPT_FIELD_PACKED, "S0", UINT32_MAX,
		MASK_RGBA | CHOOSE_BITS(c, { 2, 8 }, { 2, 10 }));
	script_put(s, SCRIPT_FIELD_PACKED, "scissor min", UINT32_MAX, choose(c, 8));
	script_put(s, SCRIPT_FIELD_PACKED, "scissor max", UINT32_MAX, 32 | 32u << 16);
	put_blit_side(model, &to, to_box);
	put_blit_side(model, &from, from_box);
	script_end(s);
}

static void copy(struct model *model, struct script_resource to, struct script_resource from)
{
	struct script *s = model->script;
	struct box box = choose_box(model, &from);
	box.level = 0;
	box.width = MIN(box.width, to.width);
	box.height = MIN(box.height, to.height);
	script_begin(s, "RESOURCE_COPY_REGION", VIRGL_RESOURCE_COPY_REGION, 0);
	script_put_resource(s, "destination", to.id);
	script_put_number(s, "destination level", to.last_level, 0);
	script_put_number(s, "x", to.width - box.width, 0);
	script_put_number(s, "y", to.height - box.height, 0);
	script_put_number(s, "z", 0, 0);
	script_put_resource(s, "source", from.id);
	script_put_number(s, "source level", from.last_level, box.level);
	put_box(model, &from, &box);
	script_end(s);
}

static void copy_region(struct model *model)
{
	static const enum model_use uses[] = { MODEL_VERTICES, MODEL_UNIFORMS, MODEL_IMAGE,
		MODEL_MULTISAMPLED };
	enum model_use use = uses[choose(model->choices, G_N_ELEMENTS(uses))];
	struct script_resource to = model_take(model, use), from = model_make(model, use);
	copy(model, to, from);
}

static void clear_texture(struct model *model)
{
	struct script_resource r = model_take(model, MODEL_COLOR);
	struct box box = choose_box(model, &r);
	script_begin(model->script, "CLEAR_TEXTURE", VIRGL_CLEAR_TEXTURE, 0);
	script_put_resource(model->script, "resource", r.id);
	script_put_number(model->script, "level", r.last_level, box.level);
	put_box(model, &r, &box);
	for (unsigned i = 0; i < 4; i++)
		script_put_any(model->script, "colour", choose(model->choices, 256));
	script_end(model->script);
}

/* ---- resources ---- */

static void resource_create(struct model *model)
{
	struct script *s = model->script;
	struct choices *c = model->choices;
	bool is_buffer = choose(c, 2);
	script_begin(s, "PIPE_RESOURCE_CREATE", VIRGL_PIPE_RESOURCE_CREATE, 0);
	script_put_enum(
		s, "target", VIRGL_TARGETS - 1, is_buffer ? VIRGL_BUFFER : VIRGL_TEXTURE_2D);
	script_put_format(s, "format", is_buffer ? VIRGL_FORMAT_R8 : VIRGL_FORMAT_R8G8B8A8);
	script_put(s, SCRIPT_FIELD_PACKED, "bind", UINT32_MAX,
		is_buffer ? VIRGL_BIND_VERTEX_BUFFER : VIRGL_BIND_SAMPLER_VIEW);
	script_put_number(s, "width", 16384, 16 * choose_between(c, 1, 16));
	script_put_number(s, "height", 16384, is_buffer ? 1 : 16);
	script_put_number(s, "depth", 1, 1);
	script_put_number(s, "array size", 1, 1);
	script_put_number(s, "last level", is_buffer ? 0 : 4, 0);
	script_put_number(s, "samples", is_buffer ? 0 : 4, 0);
	script_put(s, SCRIPT_FIELD_PACKED, "flags", UINT32_MAX, 0);
	script_put_number(s, "blob id", UINT32_MAX, model->next_blob++);
	script_end(s);
}

/*
 * Emits what Mesa sends for resources from elsewhere; for one whose type is known it changes
 * nothing.
 */
static void resource_set_type(struct model *model)
{
	struct script *s = model->script;
	struct script_resource r = model_take(model, MODEL_COLOR);
	script_begin(s, "PIPE_RESOURCE_SET_TYPE", VIRGL_PIPE_RESOURCE_SET_TYPE, 0);
	script_put_resource(s, "resource", r.id);
	script_put_format(s, "format", r.format);
	script_put(s, SCRIPT_FIELD_PACKED, "bind", UINT32_MAX, r.bind);
	script_put_number(s, "width", r.width, r.width);
	script_put_number(s, "height", r.height, r.height);
	script_put_any(s, "usage", 0);
	script_put_any(s, "modifier (low)", 0);
	script_put_any(s, "modifier (high)", 0);
	script_put_number(s, "plane stride", r.width * 4, r.width * 4);
	script_put_number(s, "plane offset", 0, 0);
	script_end(s);
}

static void memory_info(struct model *model)
{
	struct script_resource r = model_take(model, MODEL_STAGING);
	g_assert_cmpuint(r.backing_bytes, >=, MEMORY_INFO_BYTES);
	script_begin(model->script, "GET_MEMORY_INFO", VIRGL_GET_MEMORY_INFO, 0);
	script_put_resource(model->script, "resource", r.id);
	script_end(model->script);
}

/* Gives back a resource that is not bound: of bound ones the renderer may hold the bare pointer. */
static void unref(struct model *model)
{
	struct script_resource r = model_make(model, MODEL_STAGING);
	struct box box = { .width = 16, .height = 1, .depth = 1 };
	struct script_resource to = model_take(model, MODEL_VERTICES);
	script_begin(model->script, "COPY_TRANSFER3D", VIRGL_COPY_TRANSFER3D, 0);
	put_transfer(model, &to, &box, 16, 16);
	script_put_resource(model->script, "source", r.id);
	script_put_number(model->script, "source offset", r.width - 16, 0);
	script_put_any(model->script, "flags", VIRGL_COPY_TRANSFER_SYNCHRONIZED);
	script_end(model->script);
	model_release(model, r.id);
}

/* ---- the context ---- */

static void set_sub_context(struct model *model, unsigned index)
{
	script_begin(model->script, "SET_SUB_CTX", VIRGL_SET_SUB_CTX, 0);
	script_put(model->script, SCRIPT_FIELD_SUB_CONTEXT, "sub-context", UINT32_MAX,
		model->sub_contexts[index]);
	script_end(model->script);
	model->sub_context = index;
	model->script->sub_context = model->sub_contexts[index];
}

static void switch_sub_context(struct model *model)
{
	set_sub_context(model, choose(model->choices, model->n_sub_contexts));
}

/*
 * Numbers sub-contexts as Mesa does, as its process makes contexts, and changes to a new one at
 * once.
 */
static void create_sub_context(struct model *model)
{
	if (model->n_sub_contexts == MODEL_SUB_CONTEXTS) {
		switch_sub_context(model);
		return;
	}
	uint32_t id = model->next_sub_context++;
	script_begin(model->script, "CREATE_SUB_CTX", VIRGL_CREATE_SUB_CTX, 0);
	script_put(model->script, SCRIPT_FIELD_SUB_CONTEXT, "sub-context", UINT32_MAX, id);
	script_end(model->script);
	model->sub_contexts[model->n_sub_contexts] = id;
	set_sub_context(model, model->n_sub_contexts++);
}

static void destroy_sub_context(struct model *model)
{
	if (model->n_sub_contexts == 1)
		create_sub_context(model);
	unsigned last = model->n_sub_contexts - 1;
	set_sub_context(model, last);
	model_forget_all(model);
	set_sub_context(model, 0);
	script_begin(model->script, "DESTROY_SUB_CTX", VIRGL_DESTROY_SUB_CTX, 0);
	script_put(model->script, SCRIPT_FIELD_SUB_CONTEXT, "sub-context", UINT32_MAX,
		model->sub_contexts[last]);
	script_end(model->script);
	model->n_sub_contexts--;
}

static void nothing(struct model *model)
{
	script_begin(model->script, "NOP", VIRGL_NOP, 0);
	script_end(model->script);
}

static void cut(struct model *model)
{
	script_cut(model->script);
}

static void debug_flags(struct model *model)
{
	static const char text[] = "no-such-flag";
	script_begin(model->script, "SET_DEBUG_FLAGS", VIRGL_SET_DEBUG_FLAGS, 0);
	script_put_bytes(model->script, SCRIPT_FIELD_TEXT, "flags", text, sizeof(text));
	script_end(model->script);
}

static void tweak(struct model *model)
{
	script_begin(model->script, "SET_TWEAKS", VIRGL_SET_TWEAKS, 0);
	script_put_enum(model->script, "id", 2, choose(model->choices, 3));
	script_put_any(model->script, "value", choose(model->choices, 4));
	script_end(model->script);
}

static void string_marker(struct model *model)
{
	static const char text[] = "a mark that a program leaves for whoever reads the log";
	uint32_t length = choose_between(model->choices, 1, sizeof(text));
	script_begin(model->script, "SEND_STRING_MARKER", VIRGL_SEND_STRING_MARKER, 0);
	script_put_number(model->script, "length", (length + 3) / 4 * 4, length);
	script_put_bytes(model->script, SCRIPT_FIELD_TEXT, "text", text, length);
	script_end(model->script);
}

#define ANY(name, weight, emit)                                                                    \
	{                                                                                          \
#name, VIRGL_##name, VIRGL_NONE, weight, emit                                      \
	}

const struct emit_command emit_transfer_commands[] = {
	ANY(RESOURCE_INLINE_WRITE, 2, inline_write),
	ANY(TRANSFER3D, 2, transfer),
	ANY(END_TRANSFERS, 1, end_transfers),
	ANY(COPY_TRANSFER3D, 2, copy_transfer),
	ANY(COPY_TRANSFER3D, 1, unref),
	ANY(BLIT, 2, blit),
	ANY(RESOURCE_COPY_REGION, 2, copy_region),
	ANY(CLEAR_TEXTURE, 1, clear_texture),
	/*
	 * Drivers send these only where the device offers blobs, so they come only when they are
	 * asked for.
	 */
	ANY(PIPE_RESOURCE_CREATE, 0, resource_create),
	ANY(PIPE_RESOURCE_SET_TYPE, 0, resource_set_type),
	ANY(GET_MEMORY_INFO, 1, memory_info),
	ANY(SET_SUB_CTX, 1, switch_sub_context),
	ANY(CREATE_SUB_CTX, 1, create_sub_context),
	ANY(DESTROY_SUB_CTX, 1, destroy_sub_context),
	ANY(NOP, 1, nothing),
	ANY(NOP, 2, cut),
	ANY(SET_DEBUG_FLAGS, 1, debug_flags),
	ANY(SET_TWEAKS, 1, tweak),
	ANY(SEND_STRING_MARKER, 1, string_marker),
};
const unsigned emit_n_transfer_commands = G_N_ELEMENTS(emit_transfer_commands);
