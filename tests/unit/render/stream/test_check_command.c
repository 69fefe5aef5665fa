/* SPDX-License-Identifier: MIT */
/*
 * check_command: says in a line each what passes, what is mended and what is refused. Each line
 * that does not pass stands beside one that does and differs in one word.
 */
#include <glib.h>

#include "tests/unit/render/stream/desk.h"

struct line {
	const char *what;
	enum desk_fate fate;
	uint32_t number, object, n_words;
	uint32_t words[24];
};

#define COUNT(...) (sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))
#define LINE(what, fate, number, ...)                                                              \
	{                                                                                          \
		what, DESK_##fate, STREAM_##number, 0, COUNT(__VA_ARGS__),                         \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}
#define MAKE(what, fate, object, ...)                                                              \
	{                                                                                          \
		what, DESK_##fate, STREAM_CREATE_OBJECT, STREAM_OBJECT_##object,                   \
			COUNT(__VA_ARGS__),                                                        \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}
#define BIND(what, fate, object, handle)                                                           \
	{                                                                                          \
		what, DESK_##fate, STREAM_BIND_OBJECT, STREAM_OBJECT_##object, 1,                  \
		{                                                                                  \
			handle                                                                     \
		}                                                                                  \
	}

static const struct line objects[] = {
	MAKE("a handle of 0", REFUSED, DSA, 0, 0, 0, 0, 0),
	MAKE("a handle again", PASSED, DSA, DESK_DSA, 0, 0, 0, 0),
	MAKE("elements of buffer 31", PASSED, VERTEX_ELEMENTS, 1, 0, 0, 31, 29),
	MAKE("elements of buffer 32", REFUSED, VERTEX_ELEMENTS, 1, 0, 0, 32, 29),
	MAKE("elements of no format", REFUSED, VERTEX_ELEMENTS, 1, 0, 0, 0, 322),
	MAKE("elements of a format past all", REFUSED, VERTEX_ELEMENTS, 1, 0, 0, 0, UINT32_MAX),
	MAKE("surface, last format", PASSED, SURFACE, 1, DESK_TEXTURE, 313, 0, 0),
	MAKE("surface, a format without description", REFUSED, SURFACE, 1, DESK_TEXTURE, 315, 0, 0),
	MAKE("surface, no format", REFUSED, SURFACE, 1, DESK_TEXTURE, 322, 0, 0),
	MAKE("surface, last level", PASSED, SURFACE, 1, DESK_TEXTURE, 1, 2, 0),
	MAKE("surface, past the last level", REFUSED, SURFACE, 1, DESK_TEXTURE, 1, 3, 0),
	MAKE("surface, a layer of a plain texture", REFUSED, SURFACE, 1, DESK_TEXTURE, 1, 0,
		1 | 1 << 16),
	MAKE("surface, all layers", PASSED, SURFACE, 1, DESK_ARRAY, 1, 0, 3 << 16),
	MAKE("surface, past the last layer", REFUSED, SURFACE, 1, DESK_ARRAY, 1, 0, 4 << 16),
	MAKE("surface, layers backwards", REFUSED, SURFACE, 1, DESK_ARRAY, 1, 0, 2),
	MAKE("surface of a buffer", REFUSED, SURFACE, 1, DESK_BUFFER, 1, 0, 0),
	MAKE("surface of another's", REFUSED, SURFACE, 1, DESK_OTHERS, 1, 0, 0),
	MAKE("surface of nothing", REFUSED, SURFACE, 1, 0, 1, 0, 0),
	MAKE("samples", PASSED, MSAA_SURFACE, 1, DESK_TEXTURE, 1, 0, 0, 4),
	MAKE("too many samples", REFUSED, MSAA_SURFACE, 1, DESK_TEXTURE, 1, 0, 0, 64),
	MAKE("samples of a buffer", REFUSED, MSAA_SURFACE, 1, DESK_BUFFER, 1, 0, 0, 4),
	MAKE("view of a buffer", PASSED, SAMPLER_VIEW, 1, DESK_BUFFER, 31, 0, 255, 0x688),
	MAKE("view of no element", PASSED, SAMPLER_VIEW, 1, DESK_BUFFER, 31, 0, UINT32_MAX, 0x688),
	MAKE("view of too much", REFUSED, SAMPLER_VIEW, 1, DESK_BUFFER, 64, 0, 4096, 0x688),
	MAKE("view past the end", REFUSED, SAMPLER_VIEW, 1, DESK_BUFFER, 64, 4097, 4097, 0x688),
	MAKE("view, no target", REFUSED, SAMPLER_VIEW, 1, DESK_TEXTURE, 1 | 9 << 24, 0, 0, 0x688),
	MAKE("view, no format", REFUSED, SAMPLER_VIEW, 1, DESK_TEXTURE, 322 | 2 << 24, 0, 0, 0x688),
	MAKE("view, a format without description", REFUSED, SAMPLER_VIEW, 1, DESK_TEXTURE,
		73 | 2 << 24, 0, 0, 0x688),
	MAKE("view, no swizzle", REFUSED, SAMPLER_VIEW, 1, DESK_TEXTURE, 1, 0, 0, 6),
	MAKE("view, all levels", PASSED, SAMPLER_VIEW, 1, DESK_TEXTURE, 1 | 2 << 24, 0, 2 << 8,
		0x688),
	MAKE("view, past the last level", REFUSED, SAMPLER_VIEW, 1, DESK_TEXTURE, 1 | 2 << 24, 0,
		3 << 8, 0x688),
	MAKE("view, levels backwards", REFUSED, SAMPLER_VIEW, 1, DESK_TEXTURE, 1 | 2 << 24, 0,
		2 | 1 << 8, 0x688),
	MAKE("view of custom memory", REFUSED, SAMPLER_VIEW, 1, DESK_CUSTOM, 31, 0, 1, 0x688),
	MAKE("a query", PASSED, QUERY, 1, 0, 0, DESK_CUSTOM),
	MAKE("query in a GL buffer", REFUSED, QUERY, 1, 0, 0, DESK_BUFFER),
	MAKE("query in 8 bytes", REFUSED, QUERY, 1, 0, 0, DESK_TINY),
	MAKE("query in a texture", REFUSED, QUERY, 1, 0, 0, DESK_TEXTURE),
	MAKE("streamout, all", PASSED, STREAMOUT_TARGET, 1, DESK_BUFFER, 4, 4092),
	MAKE("streamout, too much", REFUSED, STREAMOUT_TARGET, 1, DESK_BUFFER, 4, 4096),
	MAKE("streamout, overflow", REFUSED, STREAMOUT_TARGET, 1, DESK_BUFFER, 4096, UINT32_MAX),
	MAKE("streamout into memory", REFUSED, STREAMOUT_TARGET, 1, DESK_CUSTOM, 0, 16),
	BIND("nothing", PASSED, DSA, 0),
	BIND("dsa", PASSED, DSA, DESK_DSA),
	BIND("another kind", REFUSED, DSA, DESK_BLEND),
	BIND("blend", PASSED, BLEND, DESK_BLEND),
	BIND("no blend", REFUSED, BLEND, 5),
	BIND("rasterizer", PASSED, RASTERIZER, DESK_RASTERIZER),
	BIND("elements as rasterizer", REFUSED, RASTERIZER, DESK_VERTEX_ELEMENTS),
	BIND("elements", PASSED, VERTEX_ELEMENTS, DESK_VERTEX_ELEMENTS),
	BIND("no elements", REFUSED, VERTEX_ELEMENTS, 5),
	LINE("destroy one", PASSED, DESTROY_OBJECT, DESK_BLEND),
	LINE("destroy what is not there", PASSED, DESTROY_OBJECT, 5),
};

static const struct line slots[] = {
	LINE("last viewport", PASSED, SET_VIEWPORT_STATE, 15, 0, 0, 0, 0, 0, 0),
	LINE("past the last viewport", REFUSED, SET_VIEWPORT_STATE, 16, 0, 0, 0, 0, 0, 0),
	LINE("last scissor", PASSED, SET_SCISSOR_STATE, 15, 0, 0),
	LINE("past the last scissor", REFUSED, SET_SCISSOR_STATE, 16, 0, 0),
	LINE("a scissor of overflow", REFUSED, SET_SCISSOR_STATE, UINT32_MAX, 0, 0),
	LINE("framebuffer", PASSED, SET_FRAMEBUFFER_STATE, 1, 0, DESK_SURFACE),
	LINE("framebuffer, another count", REFUSED, SET_FRAMEBUFFER_STATE, 2, 0, DESK_SURFACE),
	LINE("framebuffer, depth", PASSED, SET_FRAMEBUFFER_STATE, 0, DESK_SURFACE),
	LINE("framebuffer, no surface", REFUSED, SET_FRAMEBUFFER_STATE, 1, 0, DESK_SAMPLER_VIEW),
	LINE("framebuffer, no depth", REFUSED, SET_FRAMEBUFFER_STATE, 0, 5),
	LINE("vertices", PASSED, SET_VERTEX_BUFFERS, 16, 0, DESK_BUFFER),
	LINE("vertices at the end", PASSED, SET_VERTEX_BUFFERS, 16, 4096, DESK_BUFFER),
	LINE("vertices past the end", MENDED, SET_VERTEX_BUFFERS, 16, 4097, DESK_BUFFER),
	LINE("vertices in memory", REFUSED, SET_VERTEX_BUFFERS, 16, 0, DESK_CUSTOM),
	LINE("vertices in a texture", REFUSED, SET_VERTEX_BUFFERS, 16, 0, DESK_TEXTURE),
	LINE("vertices of another", REFUSED, SET_VERTEX_BUFFERS, 16, 0, DESK_OTHERS),
	LINE("indices", PASSED, SET_INDEX_BUFFER, DESK_BUFFER, 2, 0),
	LINE("no indices", PASSED, SET_INDEX_BUFFER, 0),
	LINE("indices in memory", REFUSED, SET_INDEX_BUFFER, DESK_STAGING, 2, 0),
	LINE("constants of no stage", REFUSED, SET_CONSTANT_BUFFER, 6, 0, 0),
	LINE("last uniforms", PASSED, SET_UNIFORM_BUFFER, 5, 31, 0, 4096, DESK_BUFFER),
	LINE("past the last uniforms", REFUSED, SET_UNIFORM_BUFFER, 0, 32, 0, 4096, DESK_BUFFER),
	LINE("uniforms of no stage", REFUSED, SET_UNIFORM_BUFFER, 6, 0, 0, 4096, DESK_BUFFER),
	LINE("too much uniforms", MENDED, SET_UNIFORM_BUFFER, 0, 0, 256, 4096, DESK_BUFFER),
	LINE("uniforms past the end", MENDED, SET_UNIFORM_BUFFER, 0, 0, 4352, 16, DESK_BUFFER),
	LINE("uniforms in memory", REFUSED, SET_UNIFORM_BUFFER, 0, 0, 0, 4096, DESK_CUSTOM),
	LINE("uniforms of no byte", MENDED, SET_UNIFORM_BUFFER, 0, 0, 16, 0, DESK_BUFFER),
	LINE("no uniforms", PASSED, SET_UNIFORM_BUFFER, 0, 0, 0, 0, 0),
	LINE("last shader buffer", PASSED, SET_SHADER_BUFFERS, 5, 31, 0, 4096, DESK_BUFFER),
	LINE("past the last one", REFUSED, SET_SHADER_BUFFERS, 5, 32, 0, 4096, DESK_BUFFER),
	LINE("shader buffers, two from the last", REFUSED, SET_SHADER_BUFFERS, 5, 31, 0, 0, 0, 0, 0,
		0),
	LINE("too much of one", MENDED, SET_SHADER_BUFFERS, 5, 0, 16, 4096, DESK_BUFFER),
	LINE("one past the end", MENDED, SET_SHADER_BUFFERS, 5, 0, 1 << 20, 4096, DESK_BUFFER),
	LINE("the second past the end", MENDED, SET_SHADER_BUFFERS, 5, 0, 0, 4096, DESK_BUFFER,
		UINT32_MAX, UINT32_MAX, DESK_BUFFER),
	LINE("shader buffer in a texture", REFUSED, SET_SHADER_BUFFERS, 5, 0, 0, 4, DESK_TEXTURE),
	LINE("last atomic buffer", PASSED, SET_ATOMIC_BUFFERS, 31, 0, 4096, DESK_BUFFER),
	LINE("past the last", REFUSED, SET_ATOMIC_BUFFERS, 32, 0, 4096, DESK_BUFFER),
	LINE("atomics at the end", MENDED, SET_ATOMIC_BUFFERS, 0, 4096, 4, DESK_BUFFER),
	LINE("atomics past the end", MENDED, SET_ATOMIC_BUFFERS, 0, 4097, 4, DESK_BUFFER),
	LINE("atomics in memory", REFUSED, SET_ATOMIC_BUFFERS, 0, 0, 4, DESK_STAGING),
	LINE("last image", PASSED, SET_SHADER_IMAGES, 1, 31, 1, 3, 0, 0, DESK_TEXTURE),
	LINE("past the last image", REFUSED, SET_SHADER_IMAGES, 1, 32, 1, 3, 0, 0, DESK_TEXTURE),
	LINE("image, no format", REFUSED, SET_SHADER_IMAGES, 1, 0, 322, 3, 0, 0, DESK_TEXTURE),
	LINE("image of a buffer", PASSED, SET_SHADER_IMAGES, 1, 0, 28, 3, 0, 4096, DESK_BUFFER),
	LINE("image past a buffer", MENDED, SET_SHADER_IMAGES, 1, 0, 28, 3, 8192, 4, DESK_BUFFER),
	LINE("image in memory", REFUSED, SET_SHADER_IMAGES, 1, 0, 28, 3, 0, 4, DESK_CUSTOM),
	LINE("last view", PASSED, SET_SAMPLER_VIEWS, 1, 31, DESK_SAMPLER_VIEW),
	LINE("view nobody can name", REFUSED, SET_SAMPLER_VIEWS, 1, 32, DESK_SAMPLER_VIEW),
	LINE("no view there", PASSED, SET_SAMPLER_VIEWS, 1, 127, 0),
	LINE("past the last view", REFUSED, SET_SAMPLER_VIEWS, 1, 128, 0),
	LINE("no such view", REFUSED, SET_SAMPLER_VIEWS, 1, 0, DESK_SURFACE),
	LINE("views of no stage", REFUSED, SET_SAMPLER_VIEWS, 6, 0, 0),
	LINE("last state", PASSED, BIND_SAMPLER_STATES, 1, 31, DESK_SAMPLER_STATE),
	LINE("past the last state", REFUSED, BIND_SAMPLER_STATES, 1, 32, DESK_SAMPLER_STATE),
	LINE("a state that is ignored", MENDED, BIND_SAMPLER_STATES, 1, 0, 5),
	LINE("states of no stage", REFUSED, BIND_SAMPLER_STATES, 6, 0, 0),
	LINE("streamout", PASSED, SET_STREAMOUT_TARGETS, 0, DESK_STREAMOUT_TARGET, 0, 0, 0),
	LINE("no streamout target", REFUSED, SET_STREAMOUT_TARGETS, 0, DESK_QUERY),
	LINE("a shader", PASSED, BIND_SHADER, DESK_VERTEX_SHADER, 0),
	LINE("no shader", PASSED, BIND_SHADER, 0, 4),
	LINE("a shader of no stage", REFUSED, BIND_SHADER, DESK_VERTEX_SHADER, 6),
	LINE("a shader that is ignored", PASSED, BIND_SHADER, 5, 0),
};

static const struct line work[] = {
	LINE("a grid", PASSED, LAUNCH_GRID, 1, 1, 1, 1, 1, 1, 0, 0),
	LINE("a grid in a buffer", PASSED, LAUNCH_GRID, 1, 1, 1, 0, 0, 0, DESK_BUFFER, 4084),
	LINE("a grid past its end", MENDED, LAUNCH_GRID, 1, 1, 1, 0, 0, 0, DESK_BUFFER, 4085),
	LINE("a grid at an address", REFUSED, LAUNCH_GRID, 1, 1, 1, 0, 0, 0, DESK_CUSTOM, 0),
	LINE("a draw", PASSED, DRAW_VBO, 0, 3, 4, 0, 1, 0, 0, 0, 0, 0, 3, 0),
	LINE("a draw of no kind", REFUSED, DRAW_VBO, 0, 3, 15, 0, 1, 0, 0, 0, 0, 0, 3, 0),
	LINE("patches", PASSED, DRAW_VBO, 0, 3, 14, 0, 1, 0, 0, 0, 0, 0, 3, 0, 32, 0),
	LINE("patches of 33", REFUSED, DRAW_VBO, 0, 3, 14, 0, 1, 0, 0, 0, 0, 0, 3, 0, 33, 0),
	LINE("an indirect draw", PASSED, DRAW_VBO, 0, 0, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3, 0,
		DESK_BUFFER, 4048, 32, 2, 0, 0),
	LINE("of one draw more", MENDED, DRAW_VBO, 0, 0, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3, 0,
		DESK_BUFFER, 4048, 32, 3, 0, 0),
	LINE("with larger commands", MENDED, DRAW_VBO, 0, 0, 4, 1, 1, 0, 0, 0, 0, 0, 0, 0, 3, 0,
		DESK_BUFFER, 4080, 0, 1, 0, 0),
	LINE("counted", PASSED, DRAW_VBO, 0, 0, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3, 0, DESK_BUFFER, 0,
		32, 2, 4092, DESK_BUFFER),
	LINE("counted past the end", MENDED, DRAW_VBO, 0, 0, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3, 0,
		DESK_BUFFER, 0, 32, 2, 4093, DESK_BUFFER),
	LINE("at an address", REFUSED, DRAW_VBO, 0, 0, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3, 0,
		DESK_CUSTOM, 0, 32, 1, 0, 0),
	LINE("counted at an address", REFUSED, DRAW_VBO, 0, 0, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3, 0,
		DESK_BUFFER, 0, 32, 1, 0, DESK_CUSTOM),
	LINE("a clear", PASSED, CLEAR_SURFACE, 0, DESK_SURFACE, 0, 0, 0, 0, 0, 0, 64, 32),
	LINE("a clear of nothing", REFUSED, CLEAR_SURFACE, 0, 5, 0, 0, 0, 0, 0, 0, 64, 32),
	LINE("clear texture", PASSED, CLEAR_TEXTURE, DESK_TEXTURE, 1, 0, 0, 0, 32, 16, 1, 0, 0, 0,
		0),
	LINE("clear past it", MENDED, CLEAR_TEXTURE, DESK_TEXTURE, 1, 0, 0, 0, 33, 16, 1, 0, 0, 0,
		0),
	LINE("clear no level", REFUSED, CLEAR_TEXTURE, DESK_TEXTURE, 3, 0, 0, 0, 1, 1, 1, 0, 0, 0,
		0),
	LINE("clear a buffer", REFUSED, CLEAR_TEXTURE, DESK_BUFFER, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0,
		0),
	LINE("begin", PASSED, BEGIN_QUERY, DESK_QUERY),
	LINE("begin what is none", REFUSED, BEGIN_QUERY, DESK_SURFACE),
	LINE("end what is none", REFUSED, END_QUERY, 0),
	LINE("a result before there is one", MENDED, GET_QUERY_RESULT, DESK_QUERY, 1),
	LINE("a result that is ignored", PASSED, GET_QUERY_RESULT, 5, 1),
	LINE("last 8 bytes", PASSED, GET_QUERY_RESULT_QBO, DESK_QUERY, DESK_BUFFER, 1, 3, 4088, 0),
	LINE("past them", REFUSED, GET_QUERY_RESULT_QBO, DESK_QUERY, DESK_BUFFER, 1, 3, 4089, 0),
	LINE("last 4 bytes", PASSED, GET_QUERY_RESULT_QBO, DESK_QUERY, DESK_BUFFER, 1, 1, 4092, 0),
	LINE("past them, 32 bits", REFUSED, GET_QUERY_RESULT_QBO, DESK_QUERY, DESK_BUFFER, 1, 1,
		4093, 0),
	LINE("to an address", REFUSED, GET_QUERY_RESULT_QBO, DESK_QUERY, DESK_CUSTOM, 1, 1, 0, 0),
	LINE("of no type", REFUSED, GET_QUERY_RESULT_QBO, DESK_QUERY, DESK_BUFFER, 1, 4, 0, 0),
	LINE("condition", PASSED, SET_RENDER_CONDITION, DESK_QUERY, 0, 0),
	LINE("memory info", PASSED, GET_MEMORY_INFO, DESK_CUSTOM),
	LINE("memory info to nowhere", REFUSED, GET_MEMORY_INFO, DESK_TINY),
	LINE("layout", PASSED, GET_PIPE_RESOURCE_LAYOUT, DESK_CUSTOM, DESK_TEXTURE),
	LINE("layout to nowhere", REFUSED, GET_PIPE_RESOURCE_LAYOUT, DESK_BUFFER, DESK_TEXTURE),
	LINE("layout into 8 bytes", REFUSED, GET_PIPE_RESOURCE_LAYOUT, DESK_TINY, DESK_TEXTURE),
	LINE("a marker", PASSED, SEND_STRING_MARKER, 8, 0, 0),
	LINE("a marker without its text", REFUSED, SEND_STRING_MARKER, 9, 0, 0),
	LINE("debug flags", MENDED, SET_DEBUG_FLAGS, 0, 0),
	LINE("a tweak", PASSED, SET_TWEAKS, 2, 1000),
	LINE("a blob", REFUSED, PIPE_RESOURCE_CREATE, 2, 1, 2, 64, 64, 1, 1, 0, 0, 0, 1),
	LINE("a type", REFUSED, PIPE_RESOURCE_SET_TYPE, DESK_TEXTURE, 1, 2, 64, 32, 0, 0, 0, 256,
		0),
	LINE("a video codec", REFUSED, CREATE_VIDEO_CODEC, 1, 0, 0, 0, 0, 64, 64),
	LINE("a video frame", REFUSED, BEGIN_FRAME, 1, 1),
};

static const struct line copies[] = {
	LINE("a level", PASSED, TRANSFER3D, DESK_TEXTURE, 1, 0, 0, 0, 0, 0, 0, 32, 16, 1, 0, 1),
	LINE("past its width", REFUSED, TRANSFER3D, DESK_TEXTURE, 1, 0, 0, 0, 1, 0, 0, 32, 16, 1, 0,
		1),
	LINE("past its height", REFUSED, TRANSFER3D, DESK_TEXTURE, 1, 0, 0, 0, 0, 1, 0, 32, 16, 1,
		0, 1),
	LINE("past its layers", REFUSED, TRANSFER3D, DESK_TEXTURE, 1, 0, 0, 0, 0, 0, 1, 32, 16, 1,
		0, 1),
	LINE("a negative depth", REFUSED, TRANSFER3D, DESK_TEXTURE, 0, 0, 0, 0, 0, 0, 0, 1, 1,
		UINT32_MAX, 0, 1),
	LINE("no level", REFUSED, TRANSFER3D, DESK_TEXTURE, 3, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 1),
	LINE("no direction", REFUSED, TRANSFER3D, DESK_TEXTURE, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 3),
	LINE("no such offset", REFUSED, TRANSFER3D, DESK_TEXTURE, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1,
		16385, 1),
	LINE("a stride cut to 32 bits", REFUSED, TRANSFER3D, DESK_TEXTURE, 0, 0, 0x08000000, 0, 0,
		0, 0, 64, 32, 1, 0, 1),
	LINE("a layer stride cut to 32 bits", REFUSED, TRANSFER3D, DESK_ARRAY, 0, 0, 0, 0x7fffffff,
		0, 0, 0, 64, 32, 3, 0, 1),
	LINE("of no width", MENDED, TRANSFER3D, DESK_ARRAY, 0, 0, 0, 1, 0, 0, 0, 0, 32, 4, 0, 1),
	LINE("of no height", MENDED, TRANSFER3D, DESK_ARRAY, 0, 0, 0, 1, 0, 0, 0, 64, 0, 4, 0, 1),
	LINE("of no layers", MENDED, TRANSFER3D, DESK_ARRAY, 0, 0, 0, 1, 0, 0, 0, 64, 32, 0, 0, 2),
	LINE("of several samples", MENDED, TRANSFER3D, DESK_SAMPLES, 0, 0, 0, 0, 0, 0, 3, 64, 32, 1,
		0, 2),
	LINE("of no height, outside", REFUSED, TRANSFER3D, DESK_ARRAY, 0, 0, 0, 1, 0, 0, 0, 65, 0,
		4, 0, 1),
	LINE("of another context", REFUSED, TRANSFER3D, DESK_OTHERS, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1,
		0, 1),
	LINE("a write", PASSED, RESOURCE_INLINE_WRITE, DESK_BUFFER, 0, 0, 0, 0, 4092, 0, 0, 4, 1, 1,
		0),
	LINE("a write past it", REFUSED, RESOURCE_INLINE_WRITE, DESK_BUFFER, 0, 0, 0, 0, 4093, 0, 0,
		4, 1, 1, 0),
	LINE("a write of no height", MENDED, RESOURCE_INLINE_WRITE, DESK_ARRAY, 0, 0, 0, 1, 0, 0, 0,
		64, 0, 4, 0),
	LINE("a write of several samples", MENDED, RESOURCE_INLINE_WRITE, DESK_SAMPLES, 0, 0, 0, 0,
		0, 0, 0, 1, 1, 1, 0),
	LINE("several samples to staging", MENDED, COPY_TRANSFER3D, DESK_SAMPLES, 0, 0, 0, 0, 0, 0,
		3, 1, 1, 1, DESK_STAGING, 0, 3),
	LINE("nothing from staging", MENDED, COPY_TRANSFER3D, DESK_ARRAY, 0, 0, 0, 1, 0, 0, 0, 64,
		0, 4, DESK_STAGING, 0, 1),
	LINE("from staging", PASSED, COPY_TRANSFER3D, DESK_TEXTURE, 0, 0, 256, 0, 0, 0, 0, 64, 16,
		1, DESK_STAGING, 0, 1),
	LINE("from past its end", REFUSED, COPY_TRANSFER3D, DESK_TEXTURE, 0, 0, 256, 0, 0, 0, 0, 64,
		16, 1, DESK_STAGING, 4097, 1),
	LINE("from another's", REFUSED, COPY_TRANSFER3D, DESK_TEXTURE, 0, 0, 256, 0, 0, 0, 0, 64,
		16, 1, DESK_OTHERS, 0, 1),
	LINE("to a box outside", REFUSED, COPY_TRANSFER3D, DESK_TEXTURE, 0, 0, 256, 0, 1, 0, 0, 64,
		16, 1, DESK_STAGING, 0, 1),
	LINE("a copy", PASSED, RESOURCE_COPY_REGION, DESK_ARRAY, 0, 0, 0, 0, DESK_TEXTURE, 0, 0, 0,
		0, 64, 32, 1),
	LINE("a copy from outside", MENDED, RESOURCE_COPY_REGION, DESK_ARRAY, 0, 0, 0, 0,
		DESK_TEXTURE, 0, 0, 0, 1, 64, 32, 1),
	LINE("a copy of too much", MENDED, RESOURCE_COPY_REGION, DESK_ARRAY, 0, 0, 0, 0,
		DESK_TEXTURE, 0, 0, 0, 0, 65, 32, 1),
	LINE("a copy to its last pixel", PASSED, RESOURCE_COPY_REGION, DESK_ARRAY, 0, 60, 28, 3,
		DESK_TEXTURE, 0, 0, 0, 0, 4, 4, 1),
	LINE("a copy to past the right", MENDED, RESOURCE_COPY_REGION, DESK_ARRAY, 0, 61, 28, 3,
		DESK_TEXTURE, 0, 0, 0, 0, 4, 4, 1),
	LINE("a copy to past the bottom", MENDED, RESOURCE_COPY_REGION, DESK_ARRAY, 0, 60, 29, 3,
		DESK_TEXTURE, 0, 0, 0, 0, 4, 4, 1),
	LINE("a copy to past the layers", MENDED, RESOURCE_COPY_REGION, DESK_ARRAY, 0, 0, 0, 4,
		DESK_TEXTURE, 0, 0, 0, 0, 4, 4, 1),
	LINE("a copy to a layer of 2^31", MENDED, RESOURCE_COPY_REGION, DESK_ARRAY, 0, 0, 0,
		INT32_MAX, DESK_TEXTURE, 0, 0, 0, 0, 4, 4, 1),
	LINE("a copy of blocks to pixels", PASSED, RESOURCE_COPY_REGION, DESK_TEXTURE, 0, 63, 31, 0,
		DESK_COMPRESSED, 0, 0, 0, 0, 4, 4, 1),
	LINE("a copy of blocks to far away", MENDED, RESOURCE_COPY_REGION, DESK_TEXTURE, 0,
		INT32_MAX, 0, 0, DESK_COMPRESSED, 0, 0, 0, 0, 4, 4, 1),
	LINE("a copy of parts of blocks to pixels", PASSED, RESOURCE_COPY_REGION, DESK_TEXTURE, 0,
		62, 30, 0, DESK_COMPRESSED, 0, 0, 0, 0, 5, 5, 1),
	LINE("a copy of a part of a block to past the right", MENDED, RESOURCE_COPY_REGION,
		DESK_TEXTURE, 0, 63, 30, 0, DESK_COMPRESSED, 0, 0, 0, 0, 5, 5, 1),
	LINE("a copy of a part of a block to past the bottom", MENDED, RESOURCE_COPY_REGION,
		DESK_TEXTURE, 0, 62, 31, 0, DESK_COMPRESSED, 0, 0, 0, 0, 5, 5, 1),
	LINE("a copy of less than a block to outside", MENDED, RESOURCE_COPY_REGION, DESK_TEXTURE,
		0, 64, 0, 0, DESK_COMPRESSED, 0, 0, 0, 0, 3, 3, 1),
	LINE("a copy of a block", PASSED, RESOURCE_COPY_REGION, DESK_COMPRESSED, 1, 0, 0, 0,
		DESK_COMPRESSED, 2, 0, 0, 0, 4, 4, 1),
	LINE("a copy of samples", PASSED, RESOURCE_COPY_REGION, DESK_SAMPLES, 0, 0, 0, 0,
		DESK_SAMPLES, 0, 0, 0, 2, 4, 4, 2),
	LINE("a copy of samples to pixels", PASSED, RESOURCE_COPY_REGION, DESK_ARRAY, 0, 0, 0, 3,
		DESK_SAMPLES, 0, 0, 0, 0, 4, 4, 1),
	LINE("a copy of samples to two layers", MENDED, RESOURCE_COPY_REGION, DESK_ARRAY, 0, 0, 0,
		0, DESK_SAMPLES, 0, 0, 0, 0, 4, 4, 2),
	LINE("a copy of samples of another layer", MENDED, RESOURCE_COPY_REGION, DESK_ARRAY, 0, 0,
		0, 0, DESK_SAMPLES, 0, 0, 0, 1, 4, 4, 1),
	LINE("a copy of a cube's last face", PASSED, RESOURCE_COPY_REGION, DESK_ARRAY, 0, 0, 0, 0,
		DESK_CUBE, 0, 0, 0, 5, 32, 32, 1),
	LINE("a copy of a cube to one", PASSED, RESOURCE_COPY_REGION, DESK_CUBE, 0, 0, 0, 0,
		DESK_CUBE, 0, 0, 0, 0, 32, 32, 6),
	LINE("a copy from no level", REFUSED, RESOURCE_COPY_REGION, DESK_ARRAY, 0, 0, 0, 0,
		DESK_TEXTURE, 3, 0, 0, 0, 1, 1, 1),
	LINE("a copy to no level", REFUSED, RESOURCE_COPY_REGION, DESK_ARRAY, 1, 0, 0, 0,
		DESK_TEXTURE, 0, 0, 0, 0, 1, 1, 1),
	LINE("a copy of bytes", PASSED, RESOURCE_COPY_REGION, DESK_BUFFER, 0, 0, 0, 0, DESK_BUFFER,
		0, 2048, 0, 0, 2048, 1, 1),
	LINE("a copy of bytes to past the end", MENDED, RESOURCE_COPY_REGION, DESK_BUFFER, 0, 2049,
		0, 0, DESK_BUFFER, 0, 0, 0, 0, 2048, 1, 1),
	LINE("a copy of bytes into pixels", REFUSED, RESOURCE_COPY_REGION, DESK_TEXTURE, 0, 0, 0, 0,
		DESK_BUFFER, 0, 0, 0, 0, 4, 1, 1),
	LINE("a copy of memory", REFUSED, RESOURCE_COPY_REGION, DESK_BUFFER, 0, 0, 0, 0,
		DESK_CUSTOM, 0, 0, 0, 0, 4, 1, 1),
	LINE("a blit, flipped", PASSED, BLIT, 15, 0, 0, DESK_TEXTURE, 0, 1, 0, 32, 0, 64, -32u, 1,
		DESK_ARRAY, 0, 1, 0, 0, 3, 64, 32, 1),
	LINE("a blit of overflow", MENDED, BLIT, 15, 0, 0, DESK_TEXTURE, 0, 1, INT32_MAX, 0, 0, 64,
		32, 1, DESK_ARRAY, 0, 1, 0, 0, 3, 64, 32, 1),
	LINE("a blit of layers", PASSED, BLIT, 15, 0, 0, DESK_ARRAY, 0, 1, 0, 0, 0, 64, 32, 4,
		DESK_ARRAY, 0, 1, 0, 0, 0, 64, 32, 4),
	LINE("a blit of more layers than there are", MENDED, BLIT, 15, 0, 0, DESK_ARRAY, 0, 1, 0, 0,
		0, 64, 32, 5, DESK_ARRAY, 0, 1, 0, 0, 0, 64, 32, 4),
	LINE("a blit, no format", REFUSED, BLIT, 15, 0, 0, DESK_TEXTURE, 0, 322, 0, 0, 0, 64, 32, 1,
		DESK_ARRAY, 0, 1, 0, 0, 3, 64, 32, 1),
	LINE("a blit, no level", REFUSED, BLIT, 15, 0, 0, DESK_TEXTURE, 0, 1, 0, 0, 0, 64, 32, 1,
		DESK_ARRAY, 1, 1, 0, 0, 3, 64, 32, 1),
	LINE("a blit of bytes", REFUSED, BLIT, 15, 0, 0, DESK_TEXTURE, 0, 1, 0, 0, 0, 64, 32, 1,
		DESK_BUFFER, 0, 1, 0, 0, 0, 64, 32, 1),
};

static void check_line(const struct line *line)
{
	static const char *const names[] = { "passed", "mended", "refused" };
	struct desk desk;
	desk_init(&desk);
	if (line->number == STREAM_DRAW_VBO || line->number == STREAM_LAUNCH_GRID)
		desk_bind_shaders(&desk);
	desk_put(&desk, line->number, line->object, line->words, line->n_words);
	enum desk_fate fate = desk_send(&desk);
	if (fate != line->fate)
		g_error("command %u: %s: %s, not %s (%s %s)", line->number, line->what, names[fate],
			names[line->fate], desk.fault.field, desk.fault.why);
	g_assert_cmpuint(streams_is_lost(desk.streams, DESK_CONTEXT), ==, fate == DESK_REFUSED);
	desk_finish(&desk);
}

#define TEST(name)                                                                                 \
	static void test_##name(void)                                                              \
	{                                                                                          \
		for (unsigned i = 0; i < G_N_ELEMENTS(name); i++)                                  \
			check_line(&name[i]);                                                      \
	}

TEST(objects)
TEST(slots)
TEST(work)
TEST(copies)

/* A newer virglrenderer than the oldest announces more formats than that one describes. */
static void test_announced_format(void)
{
	const uint32_t p012 = 315;
	uint32_t formats[STREAM_FORMAT_WORDS] = { 0 };
	struct desk desk;
	desk_init(&desk);
	formats[p012 / 32] = 1u << p012 % 32;
	streams_add_formats(desk.streams, formats);
	DESK_PUT(&desk, STREAM_CREATE_OBJECT, STREAM_OBJECT_SURFACE, 1, DESK_TEXTURE, p012, 0, 0);
	g_assert_cmpint(desk_send(&desk), ==, DESK_PASSED);
	DESK_PUT(&desk, STREAM_CREATE_OBJECT, STREAM_OBJECT_SURFACE, 1, DESK_TEXTURE, p012 + 1, 0,
		0);
	g_assert_cmpint(desk_send(&desk), ==, DESK_REFUSED);
	desk_finish(&desk);
}

/* Mesa takes a guest's word for where all indices are, so nothing is said of that. */
static void test_index_range(void)
{
	struct desk desk;
	desk_init(&desk);
	desk_bind_shaders(&desk);
	for (uint32_t indexed = 0; indexed < 2; indexed++) {
		DESK_PUT(&desk, STREAM_DRAW_VBO, 0, 0, 3, 4, indexed, 0, 0, 0, 0, 0, 1, 2, 0);
		g_assert_cmpint(desk_send(&desk), ==, indexed ? DESK_MENDED : DESK_PASSED);
		g_assert_cmphex(desk.passed.words[0], ==, stream_header(STREAM_DRAW_VBO, 0, 12));
		g_assert_cmpuint(desk.passed.words[10], ==, indexed ? 0 : 1);
		g_assert_cmpuint(desk.passed.words[11], ==, indexed ? UINT32_MAX : 2);
	}
	desk_finish(&desk);
}

/* Several faces of a cube go one by one to what is none. */
static void test_faces(void)
{
	struct desk desk;
	desk_init(&desk);
	DESK_PUT(&desk, STREAM_NOP, 0, 0);
	DESK_PUT(&desk, STREAM_RESOURCE_COPY_REGION, 0, DESK_ARRAY, 0, 1, 2, 0, DESK_CUBE, 0, 3, 4,
		2, 5, 6, 3);
	DESK_PUT(&desk, STREAM_NOP, 0, 1);
	g_assert_cmpint(desk_send(&desk), ==, DESK_MENDED);
	g_assert_cmpuint(desk.passed.n_words, ==, 2 + 3 * 14 + 2);
	for (uint32_t i = 0; i < 3; i++) {
		uint32_t face[] = { stream_header(STREAM_RESOURCE_COPY_REGION, 0, 13), DESK_ARRAY,
			0, 1, 2, i, DESK_CUBE, 0, 3, 4, 2 + i, 5, 6, 1 };
		g_assert_cmpmem(desk.passed.words + 2 + 14 * i, sizeof(face), face, sizeof(face));
	}
	g_assert_cmpuint(desk.passed.words[2 + 3 * 14 + 1], ==, 1);
	desk_finish(&desk);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/stream/check/objects", test_objects);
	g_test_add_func("/stream/check/slots", test_slots);
	g_test_add_func("/stream/check/work", test_work);
	g_test_add_func("/stream/check/copies", test_copies);
	g_test_add_func("/stream/check/index-range", test_index_range);
	g_test_add_func("/stream/check/faces", test_faces);
	g_test_add_func("/stream/check/announced-format", test_announced_format);
	return g_test_run();
}
