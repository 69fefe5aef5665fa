/* SPDX-License-Identifier: MIT */
/*
 * decoder: takes a virgl command stream apart.
 *
 * One table says for each command how long it may be and what each of its words is (table.c). The
 * decoder applies it and nothing else: whether a handle exists or an offset lies inside its
 * resource is the checker's question. It is pure: it reads the words that it is given, writes what
 * it is handed, allocates nothing and keeps nothing. Any thread may call it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "render/stream/fault.h"
#include "render/stream/protocol.h"

/* A word of a command is one of these. */
enum stream_kind {
	/* The table says alone what the checker asks of a word of these. */
	STREAM_MAKES,    /* the handle that a new object gets; `limit` is its type */
	STREAM_HANDLE,   /* of an object; `limit` is its type, 0 for any */
	STREAM_RESOURCE, /* the id of a resource; flags say which kinds will do */
	STREAM_STAGE,    /* enum stream_stage */
	STREAM_SLOT,     /* the first slot of an array of `limit` that the command's groups fill */
	STREAM_ENUM,     /* below `limit` */
	STREAM_FORMAT,   /* in the low `limit` bits; 0: in all of them */
	STREAM_CHECKED_KINDS,
	/* Nothing, or something that a function of the command's own asks, is asked of these. */
	STREAM_WORD = STREAM_CHECKED_KINDS, /* a number, bits or packed fields */
	STREAM_FLOAT,                       /* single precision, or half of a double */
	STREAM_COUNT,
	STREAM_OFFSET, /* in bytes, like sizes and strides, but for elements of a buffer view */
	STREAM_SIZE,
	STREAM_STRIDE,
	STREAM_LEVEL,
	STREAM_COORDINATE, /* of a box: x, y, z, width, height, depth in pixels */
	STREAM_LAYERS,     /* first | last << 16 */
	STREAM_SUB_CONTEXT,
	STREAM_TEXT, /* four characters */
	STREAM_DATA, /* four bytes of pixels, constants and the like */
};

/* A handle or a resource may be 0, which means none. */
#define STREAM_OPTIONAL 1
/* virglrenderer ignores a handle that it does not know, and guests rely on it. */
#define STREAM_LENIENT 2
/* The resource must have a buffer in GL. */
#define STREAM_NEEDS_BUFFER 4
/* The resource must have a texture in GL. */
#define STREAM_NEEDS_TEXTURE 8
/* The resource must have one of the two. */
#define STREAM_NEEDS_GL (STREAM_NEEDS_BUFFER | STREAM_NEEDS_TEXTURE)

struct stream_field {
	const char *name;
	uint8_t kind; /* enum stream_kind */
	uint8_t flags;
	uint16_t limit;
};

/* A command has `fields`, and then `group` any number of times up to `groups_max`. */
struct stream_shape {
	const char *name;
	const struct stream_field *fields, *group;
	uint8_t n_fields, n_group;
	uint16_t groups_max;
	uint64_t lengths; /* bit n: it may have n words; 0: all `fields`, and the groups */
};

struct stream_command {
	const struct stream_shape *shape;
	const uint32_t *words; /* the header, then `length` words */
	uint32_t number, object, length;
	uint32_t n_groups; /* how often the group stands in it */
};

/*
 * Takes the command that `words` begins with; it occupies command->length + 1 of them. Returns
 * false when its number or object type is unknown, when it is longer than the stream, or when its
 * length is none that it may have; *fault says which.
 */
bool stream_decode(const uint32_t *words, uint32_t n_words, struct stream_command *command,
	struct stream_fault *fault);

/* Returns what word `index` of the command is. The payload's first word has index 1. */
const struct stream_field *stream_field_at(const struct stream_command *command, uint32_t index);
/*
 * Returns the index of a shader's first word of text, behind the outputs that it streams. It lies
 * past the command's end when the command says that there are more outputs than it has.
 */
uint32_t stream_shader_text_index(const struct stream_command *command);

/*
 * These are in table.c and table_objects.c. They return NULL when there is no such command, or no
 * such object.
 */
const struct stream_shape *stream_find_shape(uint32_t number, uint32_t object);
const struct stream_shape *stream_find_object_shape(uint32_t object);
