/* SPDX-License-Identifier: MIT */
#include "render/stream/tgsi_words.h"

#include <stddef.h>
#include <string.h>

#include "render/stream/tgsi_limits.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Compares the first letter before the rest, since most names differ in it and a text has many
 * words.
 */
static bool is_same(const char *name, const char *word)
{
	return *name == *word && !strcmp(name, word);
}

static int find(const char *const *names, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (is_same(names[i], word))
			return (int)i;
	return -1;
}

#define ANY                                                                                        \
	.index_min = TGSI_INDEX_MIN, .index_max = TGSI_INDEX_MAX,                                  \
	.declared_max = TGSI_DECLARED_INDEX_MAX
#define BELOW(n) .index_min = 0, .index_max = (n)-1, .declared_max = (n)-1

/*
 * Says which files may be sources and destinations. For a source of a file that may not the
 * translator has nothing to read: it takes over what stood there before, or a null pointer. NULL is
 * where Mesa puts a result that nobody wants.
 */
static const struct tgsi_file_rule file_rules[TGSI_FILES] = {
	[TGSI_FILE_NULL] = { "NULL", .destination = true, BELOW(1) },
	[TGSI_FILE_CONSTANT] = { "CONST", .source = true, ANY },
	[TGSI_FILE_INPUT] = { "IN", .source = true, BELOW(TGSI_IO_REGISTERS_MAX) },
	[TGSI_FILE_OUTPUT] = { "OUT", .source = true, .destination = true,
		BELOW(TGSI_IO_REGISTERS_MAX) },
	[TGSI_FILE_TEMPORARY] = { "TEMP", .source = true, .destination = true, ANY },
	[TGSI_FILE_SAMPLER] = { "SAMP", BELOW(TGSI_SAMPLERS_MAX) },
	[TGSI_FILE_ADDRESS] = { "ADDR", .destination = true, BELOW(TGSI_ADDRESSES_MAX) },
	[TGSI_FILE_IMMEDIATE] = { "IMM", .source = true, BELOW(TGSI_IMMEDIATES_MAX) },
	[TGSI_FILE_PREDICATE] = { "PRED", BELOW(0) },
	[TGSI_FILE_SYSTEM_VALUE] = { "SV", .source = true, BELOW(TGSI_IO_REGISTERS_MAX) },
	[TGSI_FILE_IMAGE] = { "IMAGE", .memory = true, BELOW(TGSI_IMAGES_MAX) },
	[TGSI_FILE_SAMPLER_VIEW] = { "SVIEW", BELOW(TGSI_SAMPLERS_MAX) },
	[TGSI_FILE_BUFFER] = { "BUFFER", .memory = true, BELOW(TGSI_BUFFERS_MAX) },
	[TGSI_FILE_MEMORY] = { "MEMORY", .memory = true, BELOW(TGSI_BUFFERS_MAX) },
	[TGSI_FILE_HW_ATOMIC] = { "HWATOMIC", .memory = true, .index_max = TGSI_INDEX_MAX,
		.declared_max = TGSI_DECLARED_INDEX_MAX },
};

const struct tgsi_file_rule *tgsi_file_rule(enum tgsi_file file)
{
	return &file_rules[file];
}

int tgsi_find_file(const char *word)
{
	for (int i = 0; i < TGSI_FILES; i++)
		if (is_same(file_rules[i].name, word))
			return i;
	return -1;
}

/*
 * Most indices go into masks of 32 bits. TEXCOORD has eight, and PATCH 32. GENERIC goes into masks
 * of 64 bits, and an array must end before the last: Mesa without TEXCOORD reaches 40. COLOR is one
 * of two but for the outputs of a fragment shader (tgsi_declaration.c).
 */
static const struct tgsi_semantic_rule semantic_rules[] = {
	{ "POSITION", 31 },
	{ "COLOR", 1 },
	{ "BCOLOR", 1 },
	{ "FOG", 31 },
	{ "PSIZE", 31 },
	{ "GENERIC", 62 },
	{ "NORMAL", 31 },
	{ "FACE", 31 },
	{ "EDGEFLAG", 31 },
	{ "PRIM_ID", 31 },
	{ "INSTANCEID", 31 },
	{ "VERTEXID", 31 },
	{ "STENCIL", 31 },
	{ "CLIPDIST", 3 },
	{ "CLIPVERTEX", 31 },
	{ "GRID_SIZE", 31 },
	{ "BLOCK_ID", 31 },
	{ "BLOCK_SIZE", 31 },
	{ "THREAD_ID", 31 },
	{ "TEXCOORD", 7 },
	{ "PCOORD", 31 },
	{ "VIEWPORT_INDEX", 31 },
	{ "LAYER", 31 },
	{ "CULLDIST", 3 },
	{ "SAMPLEID", 31 },
	{ "SAMPLEPOS", 31 },
	{ "SAMPLEMASK", 31 },
	{ "INVOCATIONID", 31 },
	{ "VERTEXID_NOBASE", 31 },
	{ "BASEVERTEX", 31 },
	{ "PATCH", 31 },
	{ "TESSCOORD", 31 },
	{ "TESSOUTER", 31 },
	{ "TESSINNER", 31 },
	{ "VERTICESIN", 31 },
	{ "HELPER_INVOCATION", 31 },
	{ "BASEINSTANCE", 31 },
	{ "DRAWID", 31 },
	{ "WORK_DIM", 31 },
	{ "SUBGROUP_SIZE", 31 },
	{ "SUBGROUP_INVOCATION", 31 },
	{ "SUBGROUP_EQ_MASK", 31 },
	{ "SUBGROUP_GE_MASK", 31 },
	{ "SUBGROUP_GT_MASK", 31 },
	{ "SUBGROUP_LE_MASK", 31 },
	{ "SUBGROUP_LT_MASK", 31 },
	{ "CS_USER_DATA_AMD", 31 },
	{ "VIEWPORT_MASK", 31 },
};

int tgsi_find_semantic(const char *word)
{
	for (size_t i = 0; i < COUNT(semantic_rules); i++)
		if (is_same(semantic_rules[i].name, word))
			return (int)i;
	return -1;
}

const struct tgsi_semantic_rule *tgsi_semantic_rule(int semantic)
{
	return &semantic_rules[semantic];
}

int tgsi_find_property(const char *word)
{
	static const char *const names[] = { "GS_INPUT_PRIMITIVE", "GS_OUTPUT_PRIMITIVE",
		"GS_MAX_OUTPUT_VERTICES", "FS_COORD_ORIGIN", "FS_COORD_PIXEL_CENTER",
		"FS_COLOR0_WRITES_ALL_CBUFS", "FS_DEPTH_LAYOUT", "VS_PROHIBIT_UCPS",
		"GS_INVOCATIONS", "VS_WINDOW_SPACE_POSITION", "TCS_VERTICES_OUT", "TES_PRIM_MODE",
		"TES_SPACING", "TES_VERTEX_ORDER_CW", "TES_POINT_MODE", "NUM_CLIPDIST_ENABLED",
		"NUM_CULLDIST_ENABLED", "FS_EARLY_DEPTH_STENCIL", "FS_POST_DEPTH_COVERAGE",
		"NEXT_SHADER", "CS_FIXED_BLOCK_WIDTH", "CS_FIXED_BLOCK_HEIGHT",
		"CS_FIXED_BLOCK_DEPTH", "MUL_ZERO_WINS", "VS_BLIT_SGPRS_AMD",
		"CS_USER_DATA_COMPONENTS_AMD", "LAYER_VIEWPORT_RELATIVE",
		"FS_BLEND_EQUATION_ADVANCED", "SEPARABLE_PROGRAM" };
	return find(names, COUNT(names), word);
}

/* The names stand in the order of enum tgsi_stage. */
int tgsi_find_stage(const char *word)
{
	static const char *const names[] = { "VERT", "FRAG", "GEOM", "TESS_CTRL", "TESS_EVAL",
		"COMP" };
	return find(names, COUNT(names), word);
}

int tgsi_find_texture(const char *word)
{
	static const char *const names[] = { "BUFFER", "1D", "2D", "3D", "CUBE", "RECT", "SHADOW1D",
		"SHADOW2D", "SHADOWRECT", "1D_ARRAY", "2D_ARRAY", "SHADOW1D_ARRAY",
		"SHADOW2D_ARRAY", "SHADOWCUBE", "2D_MSAA", "2D_ARRAY_MSAA", "CUBEARRAY",
		"SHADOWCUBEARRAY", "UNKNOWN" };
	return find(names, COUNT(names), word);
}

int tgsi_find_return_type(const char *word)
{
	static const char *const names[] = { "UNORM", "SNORM", "SINT", "UINT", "FLOAT" };
	return find(names, COUNT(names), word);
}

int tgsi_find_interpolation(const char *word)
{
	static const char *const names[] = { "CONSTANT", "LINEAR", "PERSPECTIVE", "COLOR" };
	return find(names, COUNT(names), word);
}

int tgsi_find_location(const char *word)
{
	static const char *const names[] = { "CENTER", "CENTROID", "SAMPLE" };
	return find(names, COUNT(names), word);
}

int tgsi_find_immediate_type(const char *word)
{
	static const char *const names[] = { "FLT32", "UINT32", "INT32", "FLT64", "UINT64",
		"INT64" };
	return find(names, COUNT(names), word);
}

int tgsi_find_origin(const char *word)
{
	static const char *const names[] = { "UPPER_LEFT", "LOWER_LEFT" };
	return find(names, COUNT(names), word);
}

int tgsi_find_center(const char *word)
{
	static const char *const names[] = { "HALF_INTEGER", "INTEGER" };
	return find(names, COUNT(names), word);
}

int tgsi_find_qualifier(const char *word)
{
	static const char *const names[] = { "COHERENT", "RESTRICT", "VOLATILE" };
	return find(names, COUNT(names), word);
}

int tgsi_find_memory_kind(const char *word)
{
	static const char *const names[] = { "GLOBAL", "SHARED", "PRIVATE", "INPUT" };
	return find(names, COUNT(names), word);
}

unsigned tgsi_primitive_vertices(const char *word)
{
	static const char *const names[] = { "POINTS", "LINES", "LINE_LOOP", "LINE_STRIP",
		"TRIANGLES", "TRIANGLE_STRIP", "TRIANGLE_FAN", "QUADS", "QUAD_STRIP", "POLYGON",
		"LINES_ADJACENCY", "LINE_STRIP_ADJACENCY", "TRIANGLES_ADJACENCY",
		"TRIANGLE_STRIP_ADJACENCY", "PATCHES" };
	static const uint8_t vertices[COUNT(names)] = { 1, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4, 4, 6, 6,
		3 };
	int i = find(names, COUNT(names), word);
	return i < 0 ? 0 : vertices[i];
}

bool tgsi_is_format(const char *word)
{
	return !strncmp(word, "PIPE_FORMAT_", 12);
}
