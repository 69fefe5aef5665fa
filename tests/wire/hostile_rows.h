/* SPDX-License-Identifier: MIT */
/*
 * hostile_rows: commands that are refused, each with one thing wrong, for test_hostile.c alone. A
 * row is one command of a stream; what it names are the resources and the objects of the program
 * that sends it.
 */
#pragma once

#include <stdint.h>

#include "tests/wire/scene3d.h"

#define SIDE 16u
#define BUFFER_BYTES 4096u
#define PIXEL_CLEAR 0xff0000ffu
#define PIXEL_DRAWN 0xffff0000u
#define BIND_CUSTOM (1u << 17) /* virgl_hw.h; no buffer in GL is behind it */
#define OTHER_ID 900

/* These are values of enum virgl_context_cmd in virgl_protocol.h. */
enum {
	CREATE_OBJECT = 1,
	BIND_OBJECT = 2,
	SET_FRAMEBUFFER_STATE = 5,
	SET_VERTEX_BUFFERS = 6,
	DRAW_VBO = 8,
	SET_INDEX_BUFFER = 11,
	SET_UNIFORM_BUFFER = 27,
	SET_SHADER_BUFFERS = 34,
	SET_SHADER_IMAGES = 35,
	SET_ATOMIC_BUFFERS = 40,
	GET_QUERY_RESULT_QBO = 42,
	TRANSFER3D = 43,
	GET_MEMORY_INFO = 50,
	UNKNOWN = 200,
	CLEAR_TEXTURE = 47,
};
enum { OBJECT_QUERY = 9, OBJECT_STREAMOUT_TARGET = 10 };

/*
 * A program's resources are numbered from its context's number on. In the rows below RES() marks a
 * word as one of them, to be replaced by its id.
 */
enum { TARGET = 1, QUAD, CUSTOM, RESOURCES };
#define IS_RES 0x5e500000u
#define RES(resource) (IS_RES | (resource))
#define IDS_EACH 10

/* These are the handles of a program's objects. */
enum { SURFACE = 1, VERTEX_SHADER, COLOR_SHADER, BLEND, DSA, RASTERIZER, ELEMENTS, QUERY };

#define WORDS_MAX 20

struct row {
	const char *name;
	uint32_t command, object, n_words;
	uint32_t words[WORDS_MAX];
	const char *text; /* a shader's, behind the words */
};

#define ROW(name, command, object, ...)                                                            \
	{                                                                                          \
		name, command, object, sizeof((uint32_t[]){ __VA_ARGS__ }) / 4, { __VA_ARGS__ },   \
			NULL                                                                       \
	}
#define SHADER(name, stage, text)                                                                  \
	{                                                                                          \
		name, CREATE_OBJECT, VIRGL_OBJECT_SHADER, 5, { 50, stage, sizeof(text), 300, 0 },  \
			text                                                                       \
	}

static const struct row slots[] = {
	ROW("a uniform buffer in slot 32", SET_UNIFORM_BUFFER, 0, 0, 32, 0, 16, RES(QUAD)),
	ROW("a shader buffer in slot 40", SET_SHADER_BUFFERS, 0, 0, 40, 0, 16, RES(QUAD)),
	ROW("a shader image behind the last", SET_SHADER_IMAGES, 0, 1, 31, 67, 3, 0, 0, RES(TARGET),
		67, 3, 0, 0, RES(TARGET)),
	ROW("an atomic buffer in the last slot of 32 bits", SET_ATOMIC_BUFFERS, 0, UINT32_MAX, 0,
		16, RES(QUAD)),
	ROW("a stage that is none", SET_UNIFORM_BUFFER, 0, 6, 0, 0, 16, RES(QUAD)),
};

static const struct row ranges[] = {
	ROW("a result behind the buffer", GET_QUERY_RESULT_QBO, 0, QUERY, RES(QUAD), 1, 0,
		BUFFER_BYTES, 0),
	ROW("a size that overflows", CREATE_OBJECT, OBJECT_STREAMOUT_TARGET, 50, RES(QUAD), 4096,
		UINT32_MAX),
	ROW("a box beside the texture", TRANSFER3D, 0, RES(TARGET), 0, 0, 0, 0, 8, 0, 0, SIDE, 1, 1,
		0, 1),
	ROW("an offset behind the backing", TRANSFER3D, 0, RES(TARGET), 0, 0, 0, 0, 0, 0, 0, 1, 1,
		1, 0x7fffffff, 1),
	ROW("an answer without room", GET_MEMORY_INFO, 0, RES(QUAD)),
};

static const struct row handles[] = {
	ROW("a depth state as a blend state", BIND_OBJECT, VIRGL_OBJECT_BLEND, DSA),
	ROW("a shader as a surface", SET_FRAMEBUFFER_STATE, 0, 1, 0, VERTEX_SHADER),
	ROW("a handle of nothing", BIND_OBJECT, VIRGL_OBJECT_VERTEX_ELEMENTS, 77),
	ROW("an object that is bound, made again", CREATE_OBJECT, VIRGL_OBJECT_DSA, DSA, 0, 0, 0,
		0),
};

static const struct row resources[] = {
	ROW("a surface of another's texture", CREATE_OBJECT, VIRGL_OBJECT_SURFACE, 50, OTHER_ID, 1,
		0, 0),
	ROW("a buffer that is nobody's", SET_VERTEX_BUFFERS, 0, 32, 0, 4711),
	ROW("a texture as a buffer", SET_VERTEX_BUFFERS, 0, 32, 0, RES(TARGET)),
	ROW("no command", UNKNOWN, 0, 0),
};

/* These name an offset where no buffer is bound; GL would take it for an address. */
static const struct row addresses[] = {
	ROW("a result at an address", GET_QUERY_RESULT_QBO, 0, QUERY, RES(CUSTOM), 1, 0, 16, 0),
	ROW("draws at an address", DRAW_VBO, 0, 0, 4, 5, 0, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0,
		RES(CUSTOM), 64),
	ROW("vertices at an address", SET_VERTEX_BUFFERS, 0, 32, 64, RES(CUSTOM)),
};

static const struct row texts[] = {
	SHADER("inputs behind the last", VIRGL_SHADER_VERTEX,
		"VERT\nDCL IN[0..200]\nDCL OUT[0], POSITION\nMOV OUT[0], IN[0]\nEND\n"),
	SHADER("an input that is used and not there", VIRGL_SHADER_VERTEX,
		"VERT\nDCL IN[0]\nDCL OUT[0], POSITION\nMOV OUT[0], IN[99]\nEND\n"),
	SHADER("a sampler behind the last", VIRGL_SHADER_FRAGMENT,
		"FRAG\nDCL OUT[0], COLOR\nDCL SAMP[40]\nMOV OUT[0], OUT[0]\nEND\n"),
	SHADER("an array of no number", VIRGL_SHADER_VERTEX,
		"VERT\nDCL IN[0]\nDCL OUT[0], POSITION\nDCL OUT[1..2], ARRAY(200), GENERIC[0]\n"
		"MOV OUT[0], IN[0]\nEND\n"),
	SHADER("more constants than any stage has", VIRGL_SHADER_VERTEX,
		"VERT\nDCL IN[0]\nDCL OUT[0], POSITION\nDCL CONST[0][0..65536]\n"
		"MOV OUT[0], CONST[0][9999]\nEND\n"),
	SHADER("another stage's text", VIRGL_SHADER_VERTEX, "FRAG\nEND\n"),
};
