/* SPDX-License-Identifier: MIT */
/* CREATE_OBJECT makes these objects. Bits inside words (VIRGL_OBJ_*) are virglrenderer's. */
#include "render/stream/table.h"

#define MAKES(type)                                                                                \
	{                                                                                          \
		"handle", STREAM_MAKES, 0, STREAM_OBJECT_##type                                    \
	}

static const struct stream_field blend[] = {
	MAKES(BLEND),
	{ "S0", STREAM_WORD },
	{ "S1", STREAM_WORD },
	{ "target 0", STREAM_WORD },
	{ "target 1", STREAM_WORD },
	{ "target 2", STREAM_WORD },
	{ "target 3", STREAM_WORD },
	{ "target 4", STREAM_WORD },
	{ "target 5", STREAM_WORD },
	{ "target 6", STREAM_WORD },
	{ "target 7", STREAM_WORD },
};

static const struct stream_field rasterizer[] = {
	MAKES(RASTERIZER),
	{ "S0", STREAM_WORD },
	{ "point size", STREAM_FLOAT },
	{ "sprite coord enable", STREAM_WORD },
	{ "S3", STREAM_WORD },
	{ "line width", STREAM_FLOAT },
	{ "offset units", STREAM_FLOAT },
	{ "offset scale", STREAM_FLOAT },
	{ "offset clamp", STREAM_FLOAT },
};

static const struct stream_field dsa[] = {
	MAKES(DSA),
	{ "S0", STREAM_WORD },
	{ "stencil front", STREAM_WORD },
	{ "stencil back", STREAM_WORD },
	{ "alpha reference", STREAM_FLOAT },
};

/*
 * Behind the fifth word come outputs to stream and then text; see stream_shader_text_index(). In a
 * compute shader the fifth word is bytes of shared memory. Text that does not fit into one command
 * goes on in others for the same handle: in the first one `offset` is the bytes of all of it with
 * its NUL, in the others STREAM_SHADER_CONTINUES and the bytes that went before.
 */
static const struct stream_field shader[] = {
	MAKES(SHADER),
	{ "stage", STREAM_STAGE },
	{ "offset", STREAM_OFFSET },
	{ "tokens", STREAM_COUNT },
	{ "streamed outputs", STREAM_COUNT },
};
static const struct stream_field shader_text[] = { { "text", STREAM_TEXT } };

static const struct stream_field vertex_elements[] = { MAKES(VERTEX_ELEMENTS) };
static const struct stream_field vertex_element[] = {
	{ "source offset", STREAM_WORD },
	{ "instance divisor", STREAM_WORD },
	{ "vertex buffer", STREAM_ENUM, 0, STREAM_ATTRIBS_MAX },
	{ "format", STREAM_FORMAT },
};

/*
 * A view of a texture has first layer | last layer << 16 (or the number of a plane), and first
 * level | last level << 8. The format's high byte is a texture target.
 */
static const struct stream_field sampler_view[] = {
	MAKES(SAMPLER_VIEW),
	{ "resource", STREAM_RESOURCE, STREAM_NEEDS_GL },
	{ "format", STREAM_FORMAT, 0, 24 },
	{ "first element", STREAM_WORD },
	{ "last element", STREAM_WORD },
	{ "swizzle", STREAM_WORD },
};

static const struct stream_field sampler_state[] = {
	MAKES(SAMPLER_STATE),
	{ "S0", STREAM_WORD },
	{ "lod bias", STREAM_FLOAT },
	{ "min lod", STREAM_FLOAT },
	{ "max lod", STREAM_FLOAT },
	{ "border red", STREAM_WORD },
	{ "border green", STREAM_WORD },
	{ "border blue", STREAM_WORD },
	{ "border alpha", STREAM_WORD },
};

/*
 * The resource needs a texture, since a buffer's name in GL would be taken for a texture's, which
 * may be another program's.
 */
static const struct stream_field surface[] = {
	MAKES(SURFACE),
	{ "resource", STREAM_RESOURCE, STREAM_NEEDS_TEXTURE },
	{ "format", STREAM_FORMAT },
	{ "level", STREAM_LEVEL },
	{ "layers", STREAM_LAYERS },
};

static const struct stream_field msaa_surface[] = {
	MAKES(SURFACE),
	{ "resource", STREAM_RESOURCE, STREAM_NEEDS_TEXTURE },
	{ "format", STREAM_FORMAT },
	{ "level", STREAM_LEVEL },
	{ "layers", STREAM_LAYERS },
	{ "samples", STREAM_ENUM, 0, 64 },
};

/* The result goes to the resource's own memory, which only a resource without GL has. */
static const struct stream_field query[] = {
	MAKES(QUERY),
	{ "type and index", STREAM_WORD },
	{ "offset", STREAM_WORD }, /* nobody uses it */
	{ "resource", STREAM_RESOURCE },
};

static const struct stream_field streamout_target[] = {
	MAKES(STREAMOUT_TARGET),
	{ "resource", STREAM_RESOURCE, STREAM_NEEDS_BUFFER },
	{ "offset", STREAM_OFFSET },
	{ "size", STREAM_SIZE },
};

static const struct stream_shape shapes[STREAM_OBJECTS] = {
	[STREAM_OBJECT_BLEND] = { "CREATE_OBJECT blend", FIELDS(blend) },
	[STREAM_OBJECT_RASTERIZER] = { "CREATE_OBJECT rasterizer", FIELDS(rasterizer) },
	[STREAM_OBJECT_DSA] = { "CREATE_OBJECT dsa", FIELDS(dsa) },
	[STREAM_OBJECT_SHADER] = { "CREATE_OBJECT shader", FIELDS(shader),
		GROUP(shader_text, 0xffff) },
	[STREAM_OBJECT_VERTEX_ELEMENTS] = { "CREATE_OBJECT vertex elements",
		FIELDS(vertex_elements), GROUP(vertex_element, STREAM_ATTRIBS_MAX) },
	[STREAM_OBJECT_SAMPLER_VIEW] = { "CREATE_OBJECT sampler view", FIELDS(sampler_view) },
	[STREAM_OBJECT_SAMPLER_STATE] = { "CREATE_OBJECT sampler state", FIELDS(sampler_state) },
	[STREAM_OBJECT_SURFACE] = { "CREATE_OBJECT surface", FIELDS(surface) },
	[STREAM_OBJECT_QUERY] = { "CREATE_OBJECT query", FIELDS(query) },
	[STREAM_OBJECT_STREAMOUT_TARGET] = { "CREATE_OBJECT streamout target",
		FIELDS(streamout_target) },
	[STREAM_OBJECT_MSAA_SURFACE] = { "CREATE_OBJECT msaa surface", FIELDS(msaa_surface) },
};

const struct stream_shape *stream_find_object_shape(uint32_t object)
{
	return object < STREAM_OBJECTS && shapes[object].name ? &shapes[object] : NULL;
}
