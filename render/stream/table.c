/* SPDX-License-Identifier: MIT */
/*
 * The table has every command up to virglrenderer 1.3, as Mesa's virgl_encode.c writes it, word by
 * word.
 */
#include "render/stream/table.h"

#define LENGTH(n) (1ull << (n))
#define ENDLESS 0xffff

#define BOX                                                                                        \
	{ "x", STREAM_COORDINATE }, { "y", STREAM_COORDINATE }, { "z", STREAM_COORDINATE },        \
		{ "width", STREAM_COORDINATE }, { "height", STREAM_COORDINATE },                   \
	{                                                                                          \
		"depth", STREAM_COORDINATE                                                         \
	}

static const struct stream_field words[] = { { "word", STREAM_WORD } };
static const struct stream_field data[] = { { "data", STREAM_DATA } };
static const struct stream_field text[] = { { "text", STREAM_TEXT } };

/* ---- objects and sub-contexts ---- */

static const struct stream_field destroy_object[] = {
	{ "handle", STREAM_HANDLE, STREAM_LENIENT },
};
static const struct stream_field bind_blend[] = {
	{ "handle", STREAM_HANDLE, STREAM_OPTIONAL, STREAM_OBJECT_BLEND },
};
static const struct stream_field bind_rasterizer[] = {
	{ "handle", STREAM_HANDLE, STREAM_OPTIONAL, STREAM_OBJECT_RASTERIZER },
};
static const struct stream_field bind_dsa[] = {
	{ "handle", STREAM_HANDLE, STREAM_OPTIONAL, STREAM_OBJECT_DSA },
};
static const struct stream_field bind_vertex_elements[] = {
	{ "handle", STREAM_HANDLE, STREAM_OPTIONAL, STREAM_OBJECT_VERTEX_ELEMENTS },
};
static const struct stream_field sub_context[] = { { "sub-context", STREAM_SUB_CONTEXT } };

/* ---- fixed state ---- */

static const struct stream_field viewports[] = {
	{ "start slot", STREAM_SLOT, 0, STREAM_VIEWPORTS_MAX },
};
static const struct stream_field viewport[] = {
	{ "scale x", STREAM_FLOAT },
	{ "scale y", STREAM_FLOAT },
	{ "scale z", STREAM_FLOAT },
	{ "translate x", STREAM_FLOAT },
	{ "translate y", STREAM_FLOAT },
	{ "translate z", STREAM_FLOAT },
};
static const struct stream_field scissor[] = {
	{ "min x, min y", STREAM_WORD },
	{ "max x, max y", STREAM_WORD },
};
static const struct stream_field floats[] = { { "value", STREAM_FLOAT } };
static const struct stream_field blend_color[] = {
	{ "red", STREAM_FLOAT },
	{ "green", STREAM_FLOAT },
	{ "blue", STREAM_FLOAT },
	{ "alpha", STREAM_FLOAT },
};
static const struct stream_field tess_state[] = {
	{ "outer 0", STREAM_FLOAT },
	{ "outer 1", STREAM_FLOAT },
	{ "outer 2", STREAM_FLOAT },
	{ "outer 3", STREAM_FLOAT },
	{ "inner 0", STREAM_FLOAT },
	{ "inner 1", STREAM_FLOAT },
};
static const struct stream_field no_attachments[] = {
	{ "width, height", STREAM_WORD },
	{ "layers, samples", STREAM_WORD },
};

/* ---- what is bound ---- */

static const struct stream_field framebuffer[] = {
	{ "color buffers", STREAM_COUNT },
	{ "depth surface", STREAM_HANDLE, STREAM_OPTIONAL, STREAM_OBJECT_SURFACE },
};
static const struct stream_field color_buffer[] = {
	{ "surface", STREAM_HANDLE, STREAM_OPTIONAL, STREAM_OBJECT_SURFACE },
};
static const struct stream_field vertex_buffer[] = {
	{ "stride", STREAM_STRIDE },
	{ "offset", STREAM_OFFSET },
	{ "resource", STREAM_RESOURCE, STREAM_OPTIONAL | STREAM_NEEDS_BUFFER },
};
static const struct stream_field index_buffer[] = {
	{ "resource", STREAM_RESOURCE, STREAM_OPTIONAL | STREAM_NEEDS_BUFFER },
	{ "index size", STREAM_WORD },
	{ "offset", STREAM_OFFSET },
};
/* The index is not used: constants have one place in each stage. */
static const struct stream_field constant_buffer[] = {
	{ "stage", STREAM_STAGE },
	{ "index", STREAM_WORD },
};
static const struct stream_field uniform_buffer[] = {
	{ "stage", STREAM_STAGE },
	{ "index", STREAM_ENUM, 0, STREAM_CONSTANT_BUFFERS_MAX },
	{ "offset", STREAM_OFFSET },
	{ "length", STREAM_SIZE },
	{ "resource", STREAM_RESOURCE, STREAM_OPTIONAL | STREAM_NEEDS_BUFFER },
};
static const struct stream_field shader_buffers[] = {
	{ "stage", STREAM_STAGE },
	{ "start slot", STREAM_SLOT, 0, STREAM_SHADER_BUFFERS_MAX },
};
static const struct stream_field atomic_buffers[] = {
	{ "start slot", STREAM_SLOT, 0, STREAM_ATOMIC_BUFFERS_MAX },
};
static const struct stream_field buffer_range[] = {
	{ "offset", STREAM_OFFSET },
	{ "length", STREAM_SIZE },
	{ "resource", STREAM_RESOURCE, STREAM_OPTIONAL | STREAM_NEEDS_BUFFER },
};
static const struct stream_field shader_images[] = {
	{ "stage", STREAM_STAGE },
	{ "start slot", STREAM_SLOT, 0, STREAM_SHADER_IMAGES_MAX },
};
/*
 * An image of a buffer has offset and size in bytes, and one of a texture has first layer | last
 * layer << 16, and a level.
 */
static const struct stream_field shader_image[] = {
	{ "format", STREAM_FORMAT },
	{ "access", STREAM_WORD },
	{ "layers or offset", STREAM_WORD },
	{ "level or size", STREAM_WORD },
	{ "resource", STREAM_RESOURCE, STREAM_OPTIONAL | STREAM_NEEDS_GL },
};
static const struct stream_field sampler_views[] = {
	{ "stage", STREAM_STAGE },
	{ "start slot", STREAM_SLOT, 0, STREAM_SAMPLER_VIEWS_MAX },
};
static const struct stream_field bound_sampler_view[] = {
	{ "view", STREAM_HANDLE, STREAM_OPTIONAL, STREAM_OBJECT_SAMPLER_VIEW },
};
static const struct stream_field sampler_states[] = {
	{ "stage", STREAM_STAGE },
	{ "start slot", STREAM_SLOT, 0, STREAM_SAMPLERS_MAX },
};
static const struct stream_field bound_sampler_state[] = {
	{ "state", STREAM_HANDLE, STREAM_OPTIONAL | STREAM_LENIENT, STREAM_OBJECT_SAMPLER_STATE },
};
static const struct stream_field streamout_targets[] = { { "append mask", STREAM_WORD } };
static const struct stream_field bound_streamout_target[] = {
	{ "target", STREAM_HANDLE, STREAM_OPTIONAL, STREAM_OBJECT_STREAMOUT_TARGET },
};
static const struct stream_field bind_shader[] = {
	{ "shader", STREAM_HANDLE, STREAM_OPTIONAL | STREAM_LENIENT, STREAM_OBJECT_SHADER },
	{ "stage", STREAM_STAGE },
};
static const struct stream_field link_shader[] = {
	{ "vertex", STREAM_HANDLE, STREAM_OPTIONAL | STREAM_LENIENT, STREAM_OBJECT_SHADER },
	{ "fragment", STREAM_HANDLE, STREAM_OPTIONAL | STREAM_LENIENT, STREAM_OBJECT_SHADER },
	{ "geometry", STREAM_HANDLE, STREAM_OPTIONAL | STREAM_LENIENT, STREAM_OBJECT_SHADER },
	{ "tess control", STREAM_HANDLE, STREAM_OPTIONAL | STREAM_LENIENT, STREAM_OBJECT_SHADER },
	{ "tess eval", STREAM_HANDLE, STREAM_OPTIONAL | STREAM_LENIENT, STREAM_OBJECT_SHADER },
	{ "compute", STREAM_HANDLE, STREAM_OPTIONAL | STREAM_LENIENT, STREAM_OBJECT_SHADER },
};

/* ---- drawing ---- */

static const struct stream_field clear[] = {
	{ "buffers", STREAM_WORD },
	{ "color 0", STREAM_WORD },
	{ "color 1", STREAM_WORD },
	{ "color 2", STREAM_WORD },
	{ "color 3", STREAM_WORD },
	{ "depth, low half", STREAM_FLOAT },
	{ "depth, high half", STREAM_FLOAT },
	{ "stencil", STREAM_WORD },
};
/* The command has 12 words, 14 for patches or with a draw id, and 20 for an indirect draw. */
static const struct stream_field draw_vbo[] = {
	{ "start", STREAM_WORD },
	{ "count", STREAM_WORD },
	{ "mode", STREAM_ENUM, 0, 15 }, /* Gallium's primitives; the last are patches */
	{ "indexed", STREAM_WORD },
	{ "instances", STREAM_WORD },
	{ "index bias", STREAM_WORD },
	{ "start instance", STREAM_WORD },
	{ "primitive restart", STREAM_WORD },
	{ "restart index", STREAM_WORD },
	{ "min index", STREAM_WORD },
	{ "max index", STREAM_WORD },
	{ "count from streamout", STREAM_WORD },
	{ "vertices per patch", STREAM_ENUM, 0, 33 },
	{ "draw id", STREAM_WORD },
	{ "indirect resource", STREAM_RESOURCE, STREAM_OPTIONAL | STREAM_NEEDS_BUFFER },
	{ "indirect offset", STREAM_OFFSET },
	{ "indirect stride", STREAM_STRIDE },
	{ "indirect draws", STREAM_COUNT },
	{ "draw count offset", STREAM_OFFSET },
	{ "draw count resource", STREAM_RESOURCE, STREAM_OPTIONAL | STREAM_NEEDS_BUFFER },
};
static const struct stream_field launch_grid[] = {
	{ "block x", STREAM_WORD },
	{ "block y", STREAM_WORD },
	{ "block z", STREAM_WORD },
	{ "grid x", STREAM_WORD },
	{ "grid y", STREAM_WORD },
	{ "grid z", STREAM_WORD },
	{ "indirect resource", STREAM_RESOURCE, STREAM_OPTIONAL | STREAM_NEEDS_BUFFER },
	{ "indirect offset", STREAM_OFFSET },
};
static const struct stream_field clear_texture[] = {
	{ "resource", STREAM_RESOURCE, STREAM_NEEDS_TEXTURE },
	{ "level", STREAM_LEVEL },
	BOX,
	{ "value 0", STREAM_WORD },
	{ "value 1", STREAM_WORD },
	{ "value 2", STREAM_WORD },
	{ "value 3", STREAM_WORD },
};
/* Depth is in the first two words of the color, stencil in the last. */
static const struct stream_field clear_surface[] = {
	{ "buffers, render condition", STREAM_WORD },
	{ "surface", STREAM_HANDLE, 0, STREAM_OBJECT_SURFACE },
	{ "color 0", STREAM_WORD },
	{ "color 1", STREAM_WORD },
	{ "color 2", STREAM_WORD },
	{ "color 3", STREAM_WORD },
	{ "x", STREAM_COORDINATE },
	{ "y", STREAM_COORDINATE },
	{ "width", STREAM_COORDINATE },
	{ "height", STREAM_COORDINATE },
};

/* ---- copying ---- */

static const struct stream_field blit[] = {
	{ "mask, filter, flags", STREAM_WORD },
	{ "scissor min", STREAM_WORD },
	{ "scissor max", STREAM_WORD },
	{ "destination", STREAM_RESOURCE, STREAM_NEEDS_TEXTURE },
	{ "destination level", STREAM_LEVEL },
	{ "destination format", STREAM_FORMAT },
	BOX,
	{ "source", STREAM_RESOURCE, STREAM_NEEDS_TEXTURE },
	{ "source level", STREAM_LEVEL },
	{ "source format", STREAM_FORMAT },
	BOX,
};
static const struct stream_field copy_region[] = {
	{ "destination", STREAM_RESOURCE, STREAM_NEEDS_GL },
	{ "destination level", STREAM_LEVEL },
	{ "destination x", STREAM_COORDINATE },
	{ "destination y", STREAM_COORDINATE },
	{ "destination z", STREAM_COORDINATE },
	{ "source", STREAM_RESOURCE, STREAM_NEEDS_GL },
	{ "source level", STREAM_LEVEL },
	BOX,
};
#define TRANSFER                                                                                   \
	{ "resource", STREAM_RESOURCE }, { "level", STREAM_LEVEL }, { "usage", STREAM_WORD },      \
		{ "stride", STREAM_STRIDE }, { "layer stride", STREAM_STRIDE }, BOX
static const struct stream_field inline_write[] = { TRANSFER };
static const struct stream_field transfer3d[] = {
	TRANSFER, { "offset", STREAM_OFFSET },
	{ "direction", STREAM_WORD }, /* 1: to the host, 2: from it */
};
/* The data comes from the staging resource, or goes to it when the flags say so. */
static const struct stream_field copy_transfer3d[] = {
	TRANSFER, { "staging resource", STREAM_RESOURCE }, { "staging offset", STREAM_OFFSET },
	{ "flags", STREAM_WORD }, /* 1: synchronized, 2: read from the host */
};

/* ---- queries ---- */

static const struct stream_field query[] = {
	{ "query", STREAM_HANDLE, 0, STREAM_OBJECT_QUERY },
};
static const struct stream_field query_result[] = {
	{ "query", STREAM_HANDLE, STREAM_LENIENT, STREAM_OBJECT_QUERY },
	{ "wait", STREAM_WORD },
};
static const struct stream_field query_result_qbo[] = {
	{ "query", STREAM_HANDLE, STREAM_LENIENT, STREAM_OBJECT_QUERY },
	{ "resource", STREAM_RESOURCE, STREAM_NEEDS_BUFFER },
	{ "wait", STREAM_WORD },
	{ "result type", STREAM_ENUM, 0, 4 }, /* Gallium's PIPE_QUERY_TYPE_*: 32 or 64 bits */
	{ "offset", STREAM_OFFSET },
	{ "index", STREAM_WORD },
};
static const struct stream_field render_condition[] = {
	{ "query", STREAM_HANDLE, STREAM_OPTIONAL | STREAM_LENIENT, STREAM_OBJECT_QUERY },
	{ "condition", STREAM_WORD },
	{ "mode", STREAM_WORD },
};

/* ---- the rest ---- */

static const struct stream_field tweaks[] = { { "tweak", STREAM_WORD }, { "value", STREAM_WORD } };
static const struct stream_field memory_info[] = { { "resource", STREAM_RESOURCE } };
static const struct stream_field string_marker[] = { { "bytes", STREAM_COUNT } };
static const struct stream_field pipe_resource_create[] = {
	{ "target", STREAM_ENUM, 0, STREAM_TARGETS },
	{ "format", STREAM_FORMAT },
	{ "bind", STREAM_WORD },
	{ "width", STREAM_COORDINATE },
	{ "height", STREAM_COORDINATE },
	{ "depth", STREAM_COORDINATE },
	{ "array size", STREAM_COUNT },
	{ "last level", STREAM_LEVEL },
	{ "samples", STREAM_COUNT },
	{ "flags", STREAM_WORD },
	{ "blob id", STREAM_WORD },
};
static const struct stream_field pipe_resource_set_type[] = {
	{ "resource", STREAM_RESOURCE },
	{ "format", STREAM_FORMAT },
	{ "bind", STREAM_WORD },
	{ "width", STREAM_COORDINATE },
	{ "height", STREAM_COORDINATE },
	{ "usage", STREAM_WORD },
	{ "modifier, low half", STREAM_WORD },
	{ "modifier, high half", STREAM_WORD },
};
static const struct stream_field plane[] = {
	{ "plane stride", STREAM_STRIDE },
	{ "plane offset", STREAM_OFFSET },
};
static const struct stream_field resource_layout[] = {
	{ "answer", STREAM_RESOURCE },
	{ "resource", STREAM_RESOURCE },
};

/* ---- video: handles of their own, which are no objects ---- */

static const struct stream_field video_handle[] = { { "handle", STREAM_WORD } };
static const struct stream_field video_codec[] = {
	{ "codec", STREAM_WORD }, { "profile", STREAM_WORD }, { "entry point", STREAM_WORD },
	{ "chroma format", STREAM_WORD }, { "level", STREAM_WORD }, { "width", STREAM_COORDINATE },
	{ "height", STREAM_COORDINATE }, { "reference frames", STREAM_COUNT }, /* since 1.0 */
};
static const struct stream_field video_buffer[] = {
	{ "buffer", STREAM_WORD },
	{ "format", STREAM_FORMAT },
	{ "width", STREAM_COORDINATE },
	{ "height", STREAM_COORDINATE },
};
static const struct stream_field video_plane[] = { { "plane", STREAM_RESOURCE } };
static const struct stream_field video_frame[] = {
	{ "codec", STREAM_WORD },
	{ "buffer", STREAM_WORD },
};
static const struct stream_field video_decode[] = {
	{ "codec", STREAM_WORD },
	{ "target", STREAM_WORD },
	{ "description", STREAM_RESOURCE },
	{ "bitstream", STREAM_RESOURCE },
	{ "bitstream size", STREAM_SIZE },
};
static const struct stream_field video_encode[] = {
	{ "codec", STREAM_WORD },
	{ "source", STREAM_WORD },
	{ "destination", STREAM_RESOURCE },
	{ "description", STREAM_RESOURCE },
	{ "feedback", STREAM_RESOURCE },
};

static const struct stream_shape binds[STREAM_OBJECTS] = {
	[STREAM_OBJECT_BLEND] = { "BIND_OBJECT blend", FIELDS(bind_blend) },
	[STREAM_OBJECT_RASTERIZER] = { "BIND_OBJECT rasterizer", FIELDS(bind_rasterizer) },
	[STREAM_OBJECT_DSA] = { "BIND_OBJECT dsa", FIELDS(bind_dsa) },
	[STREAM_OBJECT_VERTEX_ELEMENTS] = { "BIND_OBJECT vertex elements",
		FIELDS(bind_vertex_elements) },
};

static const struct stream_shape shapes[STREAM_NUMBERS] = {
	[STREAM_NOP] = { "NOP" },
	[STREAM_DESTROY_OBJECT] = { "DESTROY_OBJECT", FIELDS(destroy_object) },
	[STREAM_SET_VIEWPORT_STATE] = { "SET_VIEWPORT_STATE", FIELDS(viewports),
		GROUP(viewport, STREAM_VIEWPORTS_MAX) },
	[STREAM_SET_FRAMEBUFFER_STATE] = { "SET_FRAMEBUFFER_STATE", FIELDS(framebuffer),
		GROUP(color_buffer, STREAM_COLOR_BUFFERS_MAX) },
	[STREAM_SET_VERTEX_BUFFERS] = { "SET_VERTEX_BUFFERS",
		GROUP(vertex_buffer, STREAM_ATTRIBS_MAX) },
	[STREAM_CLEAR] = { "CLEAR", FIELDS(clear) },
	[STREAM_DRAW_VBO] = { "DRAW_VBO", FIELDS(draw_vbo),
		.lengths = LENGTH(12) | LENGTH(14) | LENGTH(20) },
	[STREAM_RESOURCE_INLINE_WRITE] = { "RESOURCE_INLINE_WRITE", FIELDS(inline_write),
		GROUP(data, ENDLESS) },
	[STREAM_SET_SAMPLER_VIEWS] = { "SET_SAMPLER_VIEWS", FIELDS(sampler_views),
		GROUP(bound_sampler_view, STREAM_SAMPLER_VIEWS_MAX) },
	[STREAM_SET_INDEX_BUFFER] = { "SET_INDEX_BUFFER", FIELDS(index_buffer),
		.lengths = LENGTH(1) | LENGTH(3) },
	[STREAM_SET_CONSTANT_BUFFER] = { "SET_CONSTANT_BUFFER", FIELDS(constant_buffer),
		GROUP(data, ENDLESS) },
	[STREAM_SET_STENCIL_REF] = { "SET_STENCIL_REF", FIELDS(words) },
	[STREAM_SET_BLEND_COLOR] = { "SET_BLEND_COLOR", FIELDS(blend_color) },
	[STREAM_SET_SCISSOR_STATE] = { "SET_SCISSOR_STATE", FIELDS(viewports),
		GROUP(scissor, STREAM_VIEWPORTS_MAX) },
	[STREAM_BLIT] = { "BLIT", FIELDS(blit) },
	[STREAM_RESOURCE_COPY_REGION] = { "RESOURCE_COPY_REGION", FIELDS(copy_region) },
	[STREAM_BIND_SAMPLER_STATES] = { "BIND_SAMPLER_STATES", FIELDS(sampler_states),
		GROUP(bound_sampler_state, STREAM_SAMPLERS_MAX) },
	[STREAM_BEGIN_QUERY] = { "BEGIN_QUERY", FIELDS(query) },
	[STREAM_END_QUERY] = { "END_QUERY", FIELDS(query) },
	[STREAM_GET_QUERY_RESULT] = { "GET_QUERY_RESULT", FIELDS(query_result) },
	[STREAM_SET_POLYGON_STIPPLE] = { "SET_POLYGON_STIPPLE", GROUP(words, 32),
		.lengths = LENGTH(32) },
	[STREAM_SET_CLIP_STATE] = { "SET_CLIP_STATE", GROUP(floats, 32), .lengths = LENGTH(32) },
	[STREAM_SET_SAMPLE_MASK] = { "SET_SAMPLE_MASK", FIELDS(words) },
	[STREAM_SET_STREAMOUT_TARGETS] = { "SET_STREAMOUT_TARGETS", FIELDS(streamout_targets),
		GROUP(bound_streamout_target, STREAM_STREAMOUT_TARGETS_MAX) },
	[STREAM_SET_RENDER_CONDITION] = { "SET_RENDER_CONDITION", FIELDS(render_condition) },
	[STREAM_SET_UNIFORM_BUFFER] = { "SET_UNIFORM_BUFFER", FIELDS(uniform_buffer) },
	[STREAM_SET_SUB_CTX] = { "SET_SUB_CTX", FIELDS(sub_context) },
	[STREAM_CREATE_SUB_CTX] = { "CREATE_SUB_CTX", FIELDS(sub_context) },
	[STREAM_DESTROY_SUB_CTX] = { "DESTROY_SUB_CTX", FIELDS(sub_context) },
	[STREAM_BIND_SHADER] = { "BIND_SHADER", FIELDS(bind_shader) },
	[STREAM_SET_TESS_STATE] = { "SET_TESS_STATE", FIELDS(tess_state) },
	[STREAM_SET_MIN_SAMPLES] = { "SET_MIN_SAMPLES", FIELDS(words) },
	[STREAM_SET_SHADER_BUFFERS] = { "SET_SHADER_BUFFERS", FIELDS(shader_buffers),
		GROUP(buffer_range, STREAM_SHADER_BUFFERS_MAX) },
	[STREAM_SET_SHADER_IMAGES] = { "SET_SHADER_IMAGES", FIELDS(shader_images),
		GROUP(shader_image, STREAM_SHADER_IMAGES_MAX) },
	[STREAM_MEMORY_BARRIER] = { "MEMORY_BARRIER", FIELDS(words) },
	[STREAM_LAUNCH_GRID] = { "LAUNCH_GRID", FIELDS(launch_grid) },
	[STREAM_SET_FRAMEBUFFER_STATE_NO_ATTACH] = { "SET_FRAMEBUFFER_STATE_NO_ATTACH",
		FIELDS(no_attachments) },
	[STREAM_TEXTURE_BARRIER] = { "TEXTURE_BARRIER", FIELDS(words) },
	[STREAM_SET_ATOMIC_BUFFERS] = { "SET_ATOMIC_BUFFERS", FIELDS(atomic_buffers),
		GROUP(buffer_range, STREAM_ATOMIC_BUFFERS_MAX) },
	[STREAM_SET_DEBUG_FLAGS] = { "SET_DEBUG_FLAGS", GROUP(text, ENDLESS) },
	[STREAM_GET_QUERY_RESULT_QBO] = { "GET_QUERY_RESULT_QBO", FIELDS(query_result_qbo) },
	[STREAM_TRANSFER3D] = { "TRANSFER3D", FIELDS(transfer3d) },
	[STREAM_END_TRANSFERS] = { "END_TRANSFERS" },
	[STREAM_COPY_TRANSFER3D] = { "COPY_TRANSFER3D", FIELDS(copy_transfer3d) },
	[STREAM_SET_TWEAKS] = { "SET_TWEAKS", FIELDS(tweaks) },
	[STREAM_CLEAR_TEXTURE] = { "CLEAR_TEXTURE", FIELDS(clear_texture) },
	[STREAM_PIPE_RESOURCE_CREATE] = { "PIPE_RESOURCE_CREATE", FIELDS(pipe_resource_create) },
	[STREAM_PIPE_RESOURCE_SET_TYPE] = { "PIPE_RESOURCE_SET_TYPE",
		FIELDS(pipe_resource_set_type), GROUP(plane, 4) },
	[STREAM_GET_MEMORY_INFO] = { "GET_MEMORY_INFO", FIELDS(memory_info) },
	[STREAM_SEND_STRING_MARKER] = { "SEND_STRING_MARKER", FIELDS(string_marker),
		GROUP(text, ENDLESS) },
	[STREAM_LINK_SHADER] = { "LINK_SHADER", FIELDS(link_shader) },
	[STREAM_CREATE_VIDEO_CODEC] = { "CREATE_VIDEO_CODEC", FIELDS(video_codec),
		.lengths = LENGTH(7) | LENGTH(8) },
	[STREAM_DESTROY_VIDEO_CODEC] = { "DESTROY_VIDEO_CODEC", FIELDS(video_handle) },
	[STREAM_CREATE_VIDEO_BUFFER] = { "CREATE_VIDEO_BUFFER", FIELDS(video_buffer),
		GROUP(video_plane, 3) },
	[STREAM_DESTROY_VIDEO_BUFFER] = { "DESTROY_VIDEO_BUFFER", FIELDS(video_handle) },
	[STREAM_BEGIN_FRAME] = { "BEGIN_FRAME", FIELDS(video_frame) },
	[STREAM_DECODE_MACROBLOCK] = { "DECODE_MACROBLOCK", GROUP(data, ENDLESS) },
	[STREAM_DECODE_BITSTREAM] = { "DECODE_BITSTREAM", FIELDS(video_decode) },
	[STREAM_ENCODE_BITSTREAM] = { "ENCODE_BITSTREAM", FIELDS(video_encode) },
	[STREAM_END_FRAME] = { "END_FRAME", FIELDS(video_frame) },
	[STREAM_CLEAR_SURFACE] = { "CLEAR_SURFACE", FIELDS(clear_surface) },
	[STREAM_GET_PIPE_RESOURCE_LAYOUT] = { "GET_PIPE_RESOURCE_LAYOUT", FIELDS(resource_layout) },
};

const struct stream_shape *stream_find_shape(uint32_t number, uint32_t object)
{
	if (number == STREAM_CREATE_OBJECT)
		return stream_find_object_shape(object);
	if (number == STREAM_BIND_OBJECT)
		return object < STREAM_OBJECTS && binds[object].name ? &binds[object] : NULL;
	return number < STREAM_NUMBERS && shapes[number].name ? &shapes[number] : NULL;
}
