/* SPDX-License-Identifier: MIT */
/* This file reads lines that begin with DCL. */
#include <string.h>

#include "render/stream/tgsi_parser.h"

struct range {
	uint32_t first, last;
	bool empty;
};

struct declaration {
	enum tgsi_file file;
	uint32_t first, last;
	uint32_t dimension;
	bool has_dimension, shared;
	int array, semantic; /* array: 0 when there is none, semantic: -1 */
	uint32_t semantic_index;
	bool of_integers; /* an image */
};

/* ---- what stands in brackets ---- */

static bool read_range(
	struct tgsi_parser *parser, const char *field, uint32_t max, struct range *range)
{
	*range = (struct range){ 0 };
	tgsi_skip_white(parser);
	range->empty = *parser->at == ']';
	if (range->empty && !parser->vertices)
		return tgsi_refuse_grammar(parser, "empty brackets before their size is known");
	if (!range->empty && !tgsi_read_number(parser, field, max, &range->first))
		return false;
	range->last = range->first;
	if (!range->empty && tgsi_accept_after_white(parser, '.')) {
		if (!tgsi_accept(parser, '.'))
			return tgsi_refuse_grammar(parser, "one dot between the ends of a range");
		tgsi_skip_white(parser);
		if (!tgsi_read_number(parser, field, max, &range->last))
			return false;
	}
	return tgsi_expect(parser, ']');
}

/*
 * Returns true for IN and OUT of stages that see all vertices of a primitive. They are written as
 * [vertex][register].
 */
static bool has_vertices(const struct tgsi_parser *parser, enum tgsi_file file)
{
	enum tgsi_stage stage = parser->facts->stage;
	return (file == TGSI_FILE_INPUT && (stage == TGSI_GEOMETRY || stage == TGSI_TESS_EVAL)) ||
	       (stage == TGSI_TESS_CTRL && (file == TGSI_FILE_INPUT || file == TGSI_FILE_OUTPUT));
}

static bool read_dimension(
	struct tgsi_parser *parser, struct declaration *decl, const struct range *outer)
{
	const struct tgsi_file_rule *rule = tgsi_file_rule(decl->file);
	bool buffers = decl->file == TGSI_FILE_CONSTANT || decl->file == TGSI_FILE_HW_ATOMIC;
	struct range inner;
	if (!buffers && !has_vertices(parser, decl->file))
		return tgsi_refuse_grammar(parser, "a second dimension where there is none");
	if (buffers && (outer->empty || outer->first >= TGSI_CONSTANT_BUFFERS_MAX))
		return tgsi_refuse(parser, rule->name, outer->first, TGSI_CONSTANT_BUFFERS_MAX - 1,
			"no buffer has this number");
	if (!read_range(parser, rule->name, (uint32_t)rule->declared_max, &inner))
		return false;
	if (inner.empty)
		return tgsi_refuse_grammar(parser, "a declaration without a register");
	decl->dimension = buffers ? outer->first : 0;
	decl->first = inner.first;
	decl->last = inner.last;
	return true;
}

static bool read_registers(struct tgsi_parser *parser, struct declaration *decl)
{
	const struct tgsi_file_rule *rule = tgsi_file_rule(decl->file);
	struct range range;
	if (!read_range(parser, rule->name, TGSI_DECLARED_INDEX_MAX, &range))
		return false;
	decl->first = range.first;
	decl->last = range.last;
	decl->has_dimension = tgsi_accept_after_white(parser, '[');
	if (decl->has_dimension && !read_dimension(parser, decl, &range))
		return false;
	if (!decl->has_dimension && range.empty)
		return tgsi_refuse_grammar(parser, "a declaration without a register");
	if (decl->last > (uint32_t)rule->declared_max)
		return tgsi_refuse(parser, rule->name, decl->last, (uint64_t)rule->declared_max,
			"no register of this file has this number");
	if (decl->first > decl->last)
		return tgsi_refuse(parser, rule->name, decl->first, decl->last,
			"a range that ends before it begins");
	return true;
}

/* ---- what stands behind commas ---- */

static int accept_attribute(struct tgsi_parser *parser, int (*find)(const char *word))
{
	const char *here = parser->at;
	if (!tgsi_accept_after_white(parser, ','))
		return -1;
	tgsi_skip_white(parser);
	int found = tgsi_accept_word(parser, find);
	if (found < 0)
		parser->at = here;
	return found;
}

static bool accept_this_attribute(struct tgsi_parser *parser, const char *word)
{
	const char *here = parser->at;
	if (!tgsi_accept_after_white(parser, ','))
		return false;
	tgsi_skip_white(parser);
	if (tgsi_accept_this_word(parser, word))
		return true;
	parser->at = here;
	return false;
}

static bool read_array(struct tgsi_parser *parser, struct declaration *decl)
{
	bool io = decl->file == TGSI_FILE_INPUT || decl->file == TGSI_FILE_OUTPUT;
	if (!accept_this_attribute(parser, "ARRAY"))
		return true;
	if (!tgsi_accept(parser, '('))
		return tgsi_refuse_grammar(parser, "ARRAY without its number");
	tgsi_skip_white(parser);
	return tgsi_read_index(parser, "array", 0, io ? TGSI_IO_REGISTERS_MAX - 1 : TGSI_ARRAY_MAX,
		       &decl->array) &&
	       tgsi_expect(parser, ')');
}

enum { ACCESS, FORMAT, FORMAT_OF_INTEGERS };

static int find_access(const char *word)
{
	if (!strcmp(word, "RAW") || !strcmp(word, "WR"))
		return ACCESS;
	if (!tgsi_is_format(word))
		return -1;
	const char *kind = strrchr(word, '_');
	return !strcmp(kind, "_UINT") || !strcmp(kind, "_SINT") ? FORMAT_OF_INTEGERS : FORMAT;
}

static bool read_image_attributes(struct tgsi_parser *parser, struct declaration *decl)
{
	if (accept_attribute(parser, tgsi_find_texture) < 0)
		return tgsi_accept_after_white(parser, ',') ?
			       tgsi_refuse_grammar(parser, "there is no such texture target") :
			       true;
	for (int found; (found = accept_attribute(parser, find_access)) >= 0;)
		decl->of_integers |= found == FORMAT_OF_INTEGERS;
	return true;
}

static bool read_view_attributes(struct tgsi_parser *parser)
{
	if (accept_attribute(parser, tgsi_find_texture) < 0 ||
		accept_attribute(parser, tgsi_find_return_type) < 0)
		return tgsi_refuse_grammar(parser, "a sampler view without target or type");
	for (unsigned i = 1; i < 4 && accept_attribute(parser, tgsi_find_return_type) >= 0; i++) {
	}
	return true;
}

static bool read_semantic(struct tgsi_parser *parser, struct declaration *decl)
{
	accept_this_attribute(parser, "LOCAL");
	decl->semantic = accept_attribute(parser, tgsi_find_semantic);
	if (decl->semantic < 0 || !tgsi_accept_after_white(parser, '['))
		return true;
	tgsi_skip_white(parser);
	return tgsi_read_number(parser, tgsi_semantic_rule(decl->semantic)->name,
		       TGSI_DECLARED_INDEX_MAX, &decl->semantic_index) &&
	       tgsi_expect(parser, ']');
}

static bool read_streams(struct tgsi_parser *parser, const struct declaration *decl)
{
	if (decl->file != TGSI_FILE_OUTPUT || parser->facts->stage != TGSI_GEOMETRY ||
		!accept_this_attribute(parser, "STREAM"))
		return true;
	for (unsigned i = 0; i < 4; i++) {
		uint32_t stream;
		if (!tgsi_expect(parser, i ? ',' : '('))
			return false;
		tgsi_skip_white(parser);
		if (!tgsi_read_number(parser, "STREAM", 3, &stream))
			return false;
	}
	return tgsi_expect(parser, ')');
}

static bool read_tail(struct tgsi_parser *parser)
{
	accept_attribute(parser, tgsi_find_interpolation);
	accept_attribute(parser, tgsi_find_location);
	accept_this_attribute(parser, "INVARIANT");
	return !tgsi_accept_after_white(parser, ',') ||
	       tgsi_refuse_grammar(parser, "a declaration has no such attribute");
}

static bool read_attributes(struct tgsi_parser *parser, struct declaration *decl)
{
	bool good = true;
	switch (decl->file) {
	case TGSI_FILE_IMAGE:
		good = read_image_attributes(parser, decl);
		break;
	case TGSI_FILE_SAMPLER_VIEW:
		good = read_view_attributes(parser);
		break;
	case TGSI_FILE_BUFFER:
		accept_this_attribute(parser, "ATOMIC");
		break;
	case TGSI_FILE_MEMORY:
		decl->shared =
			accept_attribute(parser, tgsi_find_memory_kind) == TGSI_MEMORY_SHARED;
		break;
	default:
		good = read_semantic(parser, decl) && read_streams(parser, decl);
	}
	return good && read_tail(parser);
}

/* ---- what virglrenderer makes of it ---- */

static uint32_t count(const struct declaration *decl)
{
	return decl->last - decl->first + 1;
}

static uint32_t mask(const struct declaration *decl)
{
	uint32_t n = count(decl);
	return (n < 32 ? (1u << n) - 1 : UINT32_MAX) << decl->first;
}

static bool add(struct tgsi_parser *parser, const char *field, unsigned *sum, unsigned n,
	unsigned max, const char *why)
{
	*sum += n;
	return *sum <= max || tgsi_refuse(parser, field, *sum, max, why);
}

static bool check_semantic(struct tgsi_parser *parser, const struct declaration *decl)
{
	if (decl->semantic < 0)
		return true;
	const struct tgsi_semantic_rule *rule = tgsi_semantic_rule(decl->semantic);
	uint32_t last = decl->semantic_index + count(decl) - 1, max = rule->index_max;
	if (decl->semantic == TGSI_SEMANTIC_COLOR && decl->file == TGSI_FILE_OUTPUT &&
		parser->facts->stage == TGSI_FRAGMENT)
		max = 7;
	return last <= max ||
	       tgsi_refuse(parser, rule->name, last, max, "the semantic has no index so high");
}

/* Returns false for a declaration of what is not handed over by number. */
static bool get_range(const struct declaration *decl, struct tgsi_range *range)
{
	enum tgsi_varying varying;
	switch (decl->semantic) {
	case TGSI_SEMANTIC_GENERIC:
		varying = TGSI_GENERIC;
		break;
	case TGSI_SEMANTIC_PATCH:
		varying = TGSI_PATCH;
		break;
	case TGSI_SEMANTIC_TEXCOORD:
		varying = TGSI_TEXCOORD;
		break;
	default:
		return false;
	}
	*range = (struct tgsi_range){ (uint8_t)varying, (uint8_t)decl->semantic_index,
		(uint8_t)count(decl) };
	return true;
}

/*
 * Enters a declaration as the `n`-th. virglrenderer takes one that begins like an earlier one for
 * the same, so it must end like it: else it would lack registers that are declared.
 */
static bool enter_io(struct tgsi_parser *parser, struct tgsi_io *entries, unsigned n,
	const struct declaration *decl)
{
	struct tgsi_io *io = &entries[n - 1];
	/* The first semantic is that of those that have none. */
	*io = (struct tgsi_io){ decl->first, decl->last, decl->semantic_index,
		decl->semantic < 0 ? 0 : decl->semantic, decl->array };
	for (struct tgsi_io *before = entries; before < io; before++) {
		if (before->first == io->first && before->semantic == io->semantic &&
			before->semantic_index == io->semantic_index &&
			before->array == io->array && before->last != io->last)
			return tgsi_refuse(parser, tgsi_file_rule(decl->file)->name, io->last,
				before->last, "declared twice, with another end");
	}
	return true;
}

static bool declare_input(struct tgsi_parser *parser, const struct declaration *decl)
{
	struct tgsi_facts *facts = parser->facts;
	tgsi_set_bits(facts->inputs, decl->first, decl->last);
	if (facts->stage == TGSI_FRAGMENT && decl->semantic == TGSI_SEMANTIC_COLOR)
		facts->n_color_inputs++;
	if (!add(parser, "declarations of IN", &parser->n_input_declarations, 1,
		    TGSI_IO_DECLARATIONS_MAX, "too many declarations of inputs") ||
		!enter_io(parser, parser->inputs, parser->n_input_declarations, decl))
		return false;
	facts->n_input_ranges += get_range(decl, &facts->input_ranges[facts->n_input_ranges]);
	return add(parser, "IN", &parser->n_input_registers, count(decl), TGSI_IO_REGISTERS_MAX - 1,
		"too many inputs");
}

static void add_output_range(struct tgsi_facts *facts, const struct declaration *decl)
{
	struct tgsi_range range;
	if (!get_range(decl, &range))
		return;
	uint64_t bits = (UINT64_C(1) << range.count) - 1;
	facts->varyings_out[range.varying] |= bits << range.first;
	if (decl->array)
		facts->output_ranges[facts->n_output_ranges++] = range;
}

static bool declare_output(struct tgsi_parser *parser, const struct declaration *decl)
{
	struct tgsi_facts *facts = parser->facts;
	tgsi_set_bits(facts->outputs, decl->first, decl->last);
	if (decl->semantic == TGSI_SEMANTIC_PSIZE)
		tgsi_set_bits(parser->point_sizes, decl->first, decl->last);
	if (decl->array && !add(parser, "arrays of OUT", &parser->n_output_arrays, 1,
				   TGSI_OUTPUT_ARRAYS_MAX, "too many arrays of outputs"))
		return false;
	add_output_range(facts, decl);
	return add(parser, "declarations of OUT", &parser->n_output_declarations, 1,
		       facts->stage == TGSI_FRAGMENT ? TGSI_FRAGMENT_OUTPUTS_MAX :
						       TGSI_IO_DECLARATIONS_MAX,
		       "too many declarations of outputs") &&
	       enter_io(parser, parser->outputs, parser->n_output_declarations, decl) &&
	       add(parser, "OUT", &parser->n_output_registers, count(decl),
		       TGSI_IO_REGISTERS_MAX - 1, "too many outputs");
}

/*
 * Counts constants as the translator does, which adds one for each declaration of the first vector
 * alone.
 */
static bool declare_constant(struct tgsi_parser *parser, const struct declaration *decl)
{
	struct tgsi_facts *facts = parser->facts;
	facts->constant_buffers |= 1u << decl->dimension;
	if (decl->dimension)
		return true;
	if (!decl->last)
		facts->n_constants++;
	else if (decl->last >= facts->n_constants)
		facts->n_constants = decl->last + 1;
	return true;
}

static bool declare_temporary(struct tgsi_parser *parser, const struct declaration *decl)
{
	parser->n_temporary_ranges += decl->array ? 1 : count(decl);
	return true;
}

static bool declare_system_value(struct tgsi_parser *parser, const struct declaration *decl)
{
	tgsi_set_bits(parser->system_values, decl->first, decl->first);
	return add(parser, "declarations of SV", &parser->n_system_values, 1,
		TGSI_SYSTEM_VALUES_MAX, "too many system values");
}

static bool declare_atomic(struct tgsi_parser *parser, const struct declaration *decl)
{
	parser->facts->atomic_buffers |= 1u << decl->dimension;
	return add(parser, "declarations of HWATOMIC", &parser->n_atomic_ranges, 1,
		TGSI_ATOMIC_RANGES_MAX, "too many ranges of atomic counters");
}

static bool declare(struct tgsi_parser *parser, const struct declaration *decl)
{
	struct tgsi_facts *facts = parser->facts;
	switch (decl->file) {
	case TGSI_FILE_INPUT:
		return declare_input(parser, decl);
	case TGSI_FILE_OUTPUT:
		return declare_output(parser, decl);
	case TGSI_FILE_CONSTANT:
		return declare_constant(parser, decl);
	case TGSI_FILE_TEMPORARY:
		return declare_temporary(parser, decl);
	case TGSI_FILE_SYSTEM_VALUE:
		return declare_system_value(parser, decl);
	case TGSI_FILE_HW_ATOMIC:
		return declare_atomic(parser, decl);
	case TGSI_FILE_SAMPLER:
		facts->samplers |= mask(decl);
		return true;
	case TGSI_FILE_SAMPLER_VIEW:
		facts->sampler_views |= mask(decl);
		return true;
	case TGSI_FILE_IMAGE:
		facts->images |= mask(decl);
		facts->images_of_integers |= decl->of_integers ? mask(decl) : 0;
		return true;
	case TGSI_FILE_BUFFER:
		facts->buffers |= mask(decl);
		return true;
	case TGSI_FILE_MEMORY:
		facts->uses_shared_memory |= decl->shared;
		return true;
	case TGSI_FILE_ADDRESS:
		return true;
	default:
		return tgsi_refuse_grammar(parser, "registers of this file are not declared");
	}
}

/*
 * Counts registers, since virglrenderer's check of a text allocates for each, and in a geometry
 * shader for each vertex.
 */
static bool count_registers(struct tgsi_parser *parser, const struct declaration *decl)
{
	uint32_t n = count(decl);
	if (decl->file == TGSI_FILE_INPUT && parser->vertices)
		n *= parser->vertices;
	return add(parser, "registers", &parser->n_registers, n, TGSI_REGISTERS_MAX,
		"too many registers are declared");
}

bool tgsi_read_declaration(struct tgsi_parser *parser)
{
	struct declaration decl = { .semantic = -1 };
	if (!tgsi_expect_white(parser))
		return false;
	int file = tgsi_accept_word(parser, tgsi_find_file);
	if (file < 0)
		return tgsi_refuse_grammar(parser, "there is no such register file");
	decl.file = (enum tgsi_file)file;
	if (!tgsi_expect(parser, '[') || !read_registers(parser, &decl) ||
		!tgsi_accept_mask(parser) || !read_array(parser, &decl))
		return false;
	/* Attributes of vertices have no names. */
	bool plain = decl.file == TGSI_FILE_INPUT && parser->facts->stage == TGSI_VERTEX;
	return (plain || read_attributes(parser, &decl)) && check_semantic(parser, &decl) &&
	       count_registers(parser, &decl) && declare(parser, &decl);
}
