/* SPDX-License-Identifier: MIT */
/*
 * This file reads lines that begin with an opcode, and checks what their registers index in
 * virglrenderer.
 */
#include <string.h>

#include "render/stream/tgsi_parser.h"

#define DESTINATIONS_MAX 2
#define OFFSETS_MAX 4
#define COHERENT 1u

struct instruction {
	const struct tgsi_opcode *opcode;
	struct tgsi_register destinations[DESTINATIONS_MAX], sources[TGSI_SOURCES_MAX];
	unsigned qualifiers; /* of memory: bits in the order of tgsi_find_qualifier() */
};

static bool has(const struct instruction *instruction, enum tgsi_opcode_flag flag)
{
	return instruction->opcode->flags & flag;
}

/* ---- the opcode ---- */

static void cut_suffix(char *word, const char *suffix)
{
	size_t n = strlen(word), m = strlen(suffix);
	if (n > m && !strcmp(word + n - m, suffix))
		word[n - m] = 0;
}

static bool read_opcode(struct tgsi_parser *parser, const struct tgsi_opcode **opcode)
{
	char word[TGSI_WORD_BYTES];
	unsigned n = tgsi_peek_word(parser, word);
	cut_suffix(word, "_PRECISE");
	cut_suffix(word, "_SAT");
	*opcode = n ? tgsi_find_opcode(word) : NULL;
	if (!*opcode)
		return tgsi_refuse_grammar(parser, "there is no such opcode");
	parser->at += n;
	if ((*opcode)->n_sources > TGSI_SOURCES_MAX)
		return tgsi_refuse(parser, (*opcode)->name, (*opcode)->n_sources, TGSI_SOURCES_MAX,
			"more sources than the translator has room for");
	bool operands = (*opcode)->n_destinations || (*opcode)->n_sources ||
			(*opcode)->flags & TGSI_OP_TARGET;
	return !operands || !*parser->at || tgsi_expect_white(parser);
}

/* ---- its registers ---- */

/*
 * Refuses a register. The fault's value and limit are the register's number and that of the last
 * one that would do.
 */
static bool refuse_register(
	struct tgsi_parser *parser, const struct tgsi_register *reg, int limit, const char *why)
{
	return tgsi_refuse(parser, tgsi_file_rule(reg->file)->name,
		(uint64_t)(int64_t)reg->index.index, (uint64_t)(int64_t)limit, why);
}

static void use(struct tgsi_facts *facts, const struct tgsi_register *reg)
{
	uint32_t bit = 1u << (reg->index.index & 31);
	switch (reg->file) {
	case TGSI_FILE_SAMPLER:
		facts->samplers_used |= bit;
		facts->samplers_indirect |= reg->index.indirect;
		break;
	case TGSI_FILE_IMAGE:
		facts->images_used |= bit;
		facts->images_indirect |= reg->index.indirect;
		break;
	case TGSI_FILE_BUFFER:
		facts->buffers_used |= bit;
		facts->buffers_indirect |= reg->index.indirect;
		break;
	case TGSI_FILE_CONSTANT:
		facts->constant_buffers_indirect |= reg->has_dimension && reg->dimension.indirect;
		break;
	default:
		break;
	}
}

/*
 * Refuses an input or output that no line before declares. virglrenderer may find it all the same,
 * among those that it adds for the stage before, and then no longer once another one is bound: it
 * gives the shader up then, though it is bound, and reads what it has made of it.
 */
static bool is_declared(struct tgsi_parser *parser, const struct tgsi_register *reg)
{
	const uint64_t *declared = reg->file == TGSI_FILE_INPUT  ? parser->facts->inputs :
				   reg->file == TGSI_FILE_OUTPUT ? parser->facts->outputs :
								   NULL;
	return !declared || tgsi_has_bit(declared, (unsigned)reg->index.index) ||
	       refuse_register(parser, reg, -1, "a register that no line before declares");
}

static bool check_destination(struct tgsi_parser *parser, const struct instruction *instruction,
	const struct tgsi_register *reg)
{
	const struct tgsi_file_rule *rule = tgsi_file_rule(reg->file);
	bool store = !strcmp(instruction->opcode->name, "STORE");
	bool memory = rule->memory && reg->file != TGSI_FILE_HW_ATOMIC;
	if (!rule->destination && !(store && memory))
		return refuse_register(parser, reg, -1, "no destination of this opcode");
	if (!is_declared(parser, reg))
		return false;
	if (!has(instruction, TGSI_OP_DOUBLE))
		return true;
	if (reg->file == TGSI_FILE_NULL)
		return refuse_register(parser, reg, -1, "a double goes nowhere");
	if (reg->file == TGSI_FILE_OUTPUT &&
		tgsi_has_bit(parser->point_sizes, (unsigned)reg->index.index))
		return refuse_register(parser, reg, -1, "the point size is no double");
	return true;
}

/*
 * Returns false where the translator has no case for a file: there it reads what the last
 * instruction left, or nothing.
 */
static bool is_source(const struct instruction *instruction, unsigned i, enum tgsi_file file)
{
	const struct tgsi_file_rule *rule = tgsi_file_rule(file);
	if (has(instruction, TGSI_OP_CONSTANT))
		return file == TGSI_FILE_IMMEDIATE;
	if (has(instruction, TGSI_OP_INTERPOLATE) && i == 0)
		return file == TGSI_FILE_INPUT;
	if (file == TGSI_FILE_SAMPLER)
		return has(instruction, TGSI_OP_TARGET) || has(instruction, TGSI_OP_SAMPLE);
	if (file == TGSI_FILE_SAMPLER_VIEW)
		return has(instruction, TGSI_OP_SAMPLE);
	if (rule->memory)
		return i == 0 && has(instruction, TGSI_OP_MEMORY);
	return rule->source;
}

static bool check_source(
	struct tgsi_parser *parser, const struct instruction *instruction, unsigned i)
{
	const struct tgsi_register *reg = &instruction->sources[i];
	if (!is_source(instruction, i, reg->file))
		return refuse_register(parser, reg, -1, "no source of this opcode");
	if (reg->file == TGSI_FILE_IMMEDIATE &&
		(unsigned)reg->index.index >= parser->facts->n_immediates)
		return refuse_register(parser, reg, (int)parser->facts->n_immediates - 1,
			"a constant that no line before has");
	if (reg->file == TGSI_FILE_SYSTEM_VALUE &&
		!tgsi_has_bit(parser->system_values, (unsigned)reg->index.index))
		return refuse_register(parser, reg, -1, "a system value that is not declared");
	return is_declared(parser, reg);
}

static bool read_comma(struct tgsi_parser *parser)
{
	if (!tgsi_expect(parser, ','))
		return false;
	tgsi_skip_white(parser);
	return true;
}

static bool read_destinations(struct tgsi_parser *parser, struct instruction *instruction)
{
	for (unsigned i = 0; i < instruction->opcode->n_destinations; i++) {
		struct tgsi_register *reg = &instruction->destinations[i];
		if ((i > 0 && !read_comma(parser)) || !tgsi_read_destination(parser, reg) ||
			!check_destination(parser, instruction, reg))
			return false;
		use(parser->facts, reg);
	}
	return true;
}

static bool read_sources(struct tgsi_parser *parser, struct instruction *instruction)
{
	for (unsigned i = 0; i < instruction->opcode->n_sources; i++) {
		struct tgsi_register *reg = &instruction->sources[i];
		bool first = i == 0 && !instruction->opcode->n_destinations;
		if ((!first && !read_comma(parser)) || !tgsi_read_source(parser, reg) ||
			!check_source(parser, instruction, i))
			return false;
		use(parser->facts, reg);
	}
	return true;
}

/* ---- what follows them ---- */

static bool check_offset(struct tgsi_parser *parser, const struct tgsi_register *reg)
{
	if (reg->file == TGSI_FILE_IMMEDIATE &&
		(unsigned)reg->index.index >= parser->facts->n_immediates)
		return refuse_register(parser, reg, (int)parser->facts->n_immediates - 1,
			"a constant that no line before has");
	if (reg->file != TGSI_FILE_IMMEDIATE && reg->file != TGSI_FILE_TEMPORARY &&
		reg->file != TGSI_FILE_INPUT)
		return refuse_register(parser, reg, -1, "no offset of a texture");
	return true;
}

static bool read_offsets(struct tgsi_parser *parser)
{
	struct tgsi_register reg;
	for (unsigned i = 0; i < OFFSETS_MAX && tgsi_accept_after_white(parser, ','); i++) {
		tgsi_skip_white(parser);
		if (!tgsi_read_offset(parser, &reg) || !check_offset(parser, &reg))
			return false;
	}
	return true;
}

static bool read_target(struct tgsi_parser *parser)
{
	return read_comma(parser) && (tgsi_accept_word(parser, tgsi_find_texture) >= 0 ||
					     tgsi_refuse_grammar(parser, "no target of a texture"));
}

static int find_format(const char *word)
{
	return tgsi_is_format(word) ? 0 : -1;
}

static bool read_qualifiers(struct tgsi_parser *parser, struct instruction *instruction)
{
	while (tgsi_accept_after_white(parser, ',')) {
		tgsi_skip_white(parser);
		int qualifier = tgsi_accept_word(parser, tgsi_find_qualifier);
		if (qualifier >= 0)
			instruction->qualifiers |= 1u << qualifier;
		else if (tgsi_accept_word(parser, tgsi_find_texture) < 0 &&
			 tgsi_accept_word(parser, find_format) < 0)
			return tgsi_refuse_grammar(parser, "no qualifier, target or format");
	}
	return true;
}

/*
 * Checks a STORE to an image that is COHERENT and nothing else. It marks the image of the first
 * source's number, which is the coordinate's and not the image's.
 */
static bool check_store(struct tgsi_parser *parser, const struct instruction *instruction)
{
	const struct tgsi_register *reg = &instruction->sources[0];
	if (!instruction->opcode->n_destinations ||
		instruction->destinations[0].file != TGSI_FILE_IMAGE ||
		instruction->qualifiers != COHERENT || reg->index.indirect)
		return true;
	if (reg->index.index < 0 || reg->index.index >= TGSI_IMAGES_MAX)
		return refuse_register(parser, reg, TGSI_IMAGES_MAX - 1,
			"the coordinate of a coherent STORE is taken for an image");
	return true;
}

static bool read_label(struct tgsi_parser *parser)
{
	uint32_t label;
	if (!tgsi_accept_after_white(parser, ':'))
		return true;
	tgsi_skip_white(parser);
	return tgsi_read_number(parser, "label", UINT32_MAX, &label);
}

/* Notes the stream that EMIT and ENDPRIM name by a constant. MEMBAR's is no stream, nor of these.
 */
static void note_stream(struct tgsi_parser *parser, const struct instruction *instruction)
{
	const struct tgsi_register *reg = &instruction->sources[0];
	if (has(instruction, TGSI_OP_CONSTANT) &&
		parser->not_zero[reg->index.index] >> reg->component & 1)
		parser->has_streams = true;
}

static bool count_depth(struct tgsi_parser *parser, const struct tgsi_opcode *opcode)
{
	if (opcode->flags & TGSI_OP_CLOSES) {
		if (parser->depth-- == 0)
			return tgsi_refuse_grammar(parser, "an end of what has not begun");
	} else if (opcode->flags & TGSI_OP_OPENS && ++parser->depth > TGSI_DEPTH_MAX) {
		return tgsi_refuse(parser, opcode->name, parser->depth, TGSI_DEPTH_MAX,
			"too many within each other");
	}
	return true;
}

bool tgsi_read_instruction(struct tgsi_parser *parser)
{
	struct instruction instruction = { 0 };
	tgsi_skip_white(parser);
	if (!read_opcode(parser, &instruction.opcode) || !read_destinations(parser, &instruction) ||
		!read_sources(parser, &instruction))
		return false;
	bool target = has(&instruction, TGSI_OP_TARGET);
	if (target && !read_target(parser))
		return false;
	if ((target || has(&instruction, TGSI_OP_SAMPLE)) && !read_offsets(parser))
		return false;
	if (has(&instruction, TGSI_OP_MEMORY) &&
		(!read_qualifiers(parser, &instruction) || !check_store(parser, &instruction)))
		return false;
	if (has(&instruction, TGSI_OP_LABEL) && !read_label(parser))
		return false;
	note_stream(parser, &instruction);
	parser->facts->n_instructions++;
	return count_depth(parser, instruction.opcode);
}
