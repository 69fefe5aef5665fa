/* SPDX-License-Identifier: MIT */
/*
 * tgsi_words: knows the words of a shader text: files of registers, semantics, opcodes and the
 * rest.
 *
 * The tables hold what both virglrenderer 0.10.4 and 1.3.0 know, and what 1.3.0 alone knows: the
 * old one refuses such a word itself. All words are in upper case here; a text may use either.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum tgsi_file {
	TGSI_FILE_NULL,
	TGSI_FILE_CONSTANT,
	TGSI_FILE_INPUT,
	TGSI_FILE_OUTPUT,
	TGSI_FILE_TEMPORARY,
	TGSI_FILE_SAMPLER,
	TGSI_FILE_ADDRESS,
	TGSI_FILE_IMMEDIATE,
	TGSI_FILE_PREDICATE,
	TGSI_FILE_SYSTEM_VALUE,
	TGSI_FILE_IMAGE,
	TGSI_FILE_SAMPLER_VIEW,
	TGSI_FILE_BUFFER,
	TGSI_FILE_MEMORY,
	TGSI_FILE_HW_ATOMIC,
	TGSI_FILES
};

/* Says what a register file is good for, and how far its numbers go. */
struct tgsi_file_rule {
	const char *name;
	/* Instructions may name it as a source, or as a destination. */
	bool source, destination;
	/*
	 * Only LOAD, RESQ and atomics name it, as their first source, and STORE all but HWATOMIC as
	 * its destination.
	 */
	bool memory;
	int index_min, index_max;
	int declared_max;
};

const struct tgsi_file_rule *tgsi_file_rule(enum tgsi_file file);
/*
 * This and all tgsi_find_*() below that return int give a word's number, or -1 when there is no
 * such word.
 */
int tgsi_find_file(const char *word);

enum tgsi_semantic {
	TGSI_SEMANTIC_COLOR = 1,
	TGSI_SEMANTIC_PSIZE = 4,
	TGSI_SEMANTIC_GENERIC = 5,
	TGSI_SEMANTIC_TEXCOORD = 19,
	TGSI_SEMANTIC_PATCH = 30,
};

/* The index may go so far, counted over all registers of the declaration. */
struct tgsi_semantic_rule {
	const char *name;
	uint8_t index_max;
};

int tgsi_find_semantic(const char *word);
const struct tgsi_semantic_rule *tgsi_semantic_rule(int semantic);

enum tgsi_opcode_flag {
	/* A texture target follows the sources, and up to four offsets. */
	TGSI_OP_TARGET = 1,
	/* Offsets may follow. */
	TGSI_OP_SAMPLE = 2,
	/* Qualifiers, a target or a format may follow, in any order. */
	TGSI_OP_MEMORY = 4,
	/* ": number" may follow. */
	TGSI_OP_LABEL = 8,
	TGSI_OP_OPENS = 16,
	TGSI_OP_CLOSES = 32,
	/* The index of the source, whatever its file, is taken for an immediate's. */
	TGSI_OP_CONSTANT = 64,
	/* The index of the first source, whatever its file, is taken for an input's. */
	TGSI_OP_INTERPOLATE = 128,
	/* The destination's name is copied from where the translator had put it. */
	TGSI_OP_DOUBLE = 256,
};

struct tgsi_opcode {
	const char *name;
	uint8_t n_destinations, n_sources;
	uint16_t flags; /* enum tgsi_opcode_flag */
};

/*
 * Finds an opcode by its name without "_SAT" and "_PRECISE" (tgsi_opcodes.c). Returns NULL when
 * there is no such opcode.
 */
const struct tgsi_opcode *tgsi_find_opcode(const char *name);

enum tgsi_property {
	TGSI_PROPERTY_PRIMITIVE_IN,
	TGSI_PROPERTY_PRIMITIVE_OUT,
	TGSI_PROPERTY_VERTICES_OUT,
	TGSI_PROPERTY_COORD_ORIGIN,
	TGSI_PROPERTY_COORD_CENTER,
	TGSI_PROPERTY_INVOCATIONS = 8,
	TGSI_PROPERTY_CLIP_DISTANCES = 15,
	TGSI_PROPERTY_CULL_DISTANCES = 16,
	TGSI_PROPERTY_NEXT_SHADER = 19,
};

int tgsi_find_property(const char *word);
int tgsi_find_stage(const char *word);
int tgsi_find_texture(const char *word);
int tgsi_find_return_type(const char *word);
int tgsi_find_interpolation(const char *word);
int tgsi_find_location(const char *word);
int tgsi_find_immediate_type(const char *word);
int tgsi_find_origin(const char *word);
int tgsi_find_center(const char *word);
int tgsi_find_qualifier(const char *word);
/* This is the kind of MEMORY that GLSL has; the others are OpenCL's. */
#define TGSI_MEMORY_SHARED 1
int tgsi_find_memory_kind(const char *word);
/* Returns how many vertices a primitive has, or 0 when there is no such primitive. */
unsigned tgsi_primitive_vertices(const char *word);
/*
 * Returns true for anything named like a format. Names of formats are many and index nothing, and
 * virglrenderer refuses those that it does not know.
 */
bool tgsi_is_format(const char *word);
