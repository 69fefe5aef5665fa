/* SPDX-License-Identifier: MIT */
#include "render/stream/tgsi.h"

#include <string.h>

#include "render/stream/tgsi_parser.h"

/* virglrenderer takes IN[] and OUT[] of tessellation for this many vertices of a patch. */
#define PATCH_VERTICES 32

static bool read_stage(struct tgsi_parser *parser, unsigned expected)
{
	tgsi_skip_white(parser);
	int stage = tgsi_accept_word(parser, tgsi_find_stage);
	if (stage < 0)
		return tgsi_refuse_grammar(parser, "the text does not begin with a stage");
	if ((unsigned)stage != expected)
		return tgsi_refuse(parser, "stage", (uint64_t)stage, expected,
			"the text is another stage's than the command says");
	parser->facts->stage = (enum tgsi_stage)stage;
	if (stage == TGSI_TESS_CTRL || stage == TGSI_TESS_EVAL)
		parser->vertices = PATCH_VERTICES;
	return true;
}

/* Skips the number of an instruction, which virglrenderer does not look at. */
static bool accept_line_number(struct tgsi_parser *parser)
{
	const char *here = parser->at;
	if (tgsi_skip_digits(parser) && tgsi_accept_after_white(parser, ':'))
		return true;
	parser->at = here;
	return false;
}

static bool read_line(struct tgsi_parser *parser)
{
	if (accept_line_number(parser))
		return tgsi_read_instruction(parser);
	if (tgsi_accept_this_word(parser, "DCL"))
		return tgsi_read_declaration(parser);
	if (tgsi_accept_this_word(parser, "IMM"))
		return tgsi_read_immediate(parser);
	if (tgsi_accept_this_word(parser, "PROPERTY"))
		return tgsi_read_property(parser);
	return tgsi_read_instruction(parser);
}

static bool read_lines(struct tgsi_parser *parser)
{
	while (*parser->at) {
		if (!tgsi_expect_white(parser))
			return false;
		if (*parser->at && !read_line(parser))
			return false;
	}
	return true;
}

static bool find_end(struct tgsi_parser *parser, size_t length)
{
	parser->end = memchr(parser->text, 0, length);
	if (!parser->end) {
		parser->end = parser->text;
		return tgsi_refuse(parser, "length", length, length, "the text has no end");
	}
	size_t bytes = (size_t)(parser->end - parser->text);
	if (bytes > TGSI_TEXT_BYTES_MAX)
		return tgsi_refuse(
			parser, "length", bytes, TGSI_TEXT_BYTES_MAX, "the text is too long");
	parser->facts->text_bytes = (uint32_t)bytes;
	return true;
}

static uint64_t multiply(uint64_t a, uint64_t b)
{
	uint64_t product;
	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

/* Counts one vertex more than there are: Mesa puts there what is past the last. */
static uint32_t count_geometry_bytes(const struct tgsi_parser *parser)
{
	const struct tgsi_facts *facts = parser->facts;
	unsigned n_registers = (unsigned)(__builtin_popcountll(facts->outputs[0]) +
					  __builtin_popcountll(facts->outputs[1]));
	uint64_t vertex_bytes = TGSI_VERTEX_BYTES + n_registers * TGSI_REGISTER_BYTES;
	uint64_t bytes = multiply(vertex_bytes, (uint64_t)parser->n_vertices_out + 1);
	bytes = multiply(bytes, parser->n_invocations ? parser->n_invocations : 1);
	bytes = multiply(bytes, parser->has_streams ? TGSI_VERTEX_STREAMS : 1);
	return bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
}

bool tgsi_check(const char *text, size_t length, unsigned stage, struct tgsi_facts *facts,
	struct stream_fault *fault)
{
	struct tgsi_parser parser = { .text = text, .at = text, .facts = facts, .fault = fault };
	*facts = (struct tgsi_facts){ 0 };
	if (!find_end(&parser, length) || !read_stage(&parser, stage) || !read_lines(&parser))
		return false;
	if (facts->stage == TGSI_GEOMETRY)
		facts->geometry_bytes = count_geometry_bytes(&parser);
	facts->n_input_declarations = (uint8_t)parser.n_input_declarations;
	facts->n_output_declarations = (uint8_t)parser.n_output_declarations;
	facts->n_output_arrays = (uint8_t)parser.n_output_arrays;
	return true;
}

bool tgsi_has_output(const struct tgsi_facts *facts, unsigned output)
{
	return output < TGSI_IO_DECLARATIONS_MAX && tgsi_has_bit(facts->outputs, output);
}

/* ---- pairs ---- */

/*
 * Returns the range that virglrenderer makes of an input: where it begins in an array of the
 * earlier shader's it begins with that, and is at least as long.
 */
static struct tgsi_range move_to_array(const struct tgsi_facts *earlier, struct tgsi_range range)
{
	for (unsigned i = 0; i < earlier->n_output_ranges; i++) {
		const struct tgsi_range *array = &earlier->output_ranges[i];
		if (array->varying == range.varying && array->first <= range.first &&
			range.first - array->first < array->count) {
			range.first = array->first;
			range.count = array->count > range.count ? array->count : range.count;
			break;
		}
	}
	return range;
}

static unsigned count_missing(const struct tgsi_facts *earlier, const struct tgsi_facts *later)
{
	uint64_t missing[TGSI_VARYINGS];
	unsigned n = 0;
	memcpy(missing, earlier->varyings_out, sizeof(missing));
	for (unsigned i = 0; i < later->n_input_ranges; i++) {
		struct tgsi_range range = move_to_array(earlier, later->input_ranges[i]);
		uint64_t bits = (UINT64_C(1) << range.count) - 1;
		missing[range.varying] &= ~(bits << range.first);
	}
	for (unsigned i = 0; i < TGSI_VARYINGS; i++)
		n += (unsigned)__builtin_popcountll(missing[i]);
	return n;
}

static bool refuse_inputs(struct stream_fault *fault, unsigned n, unsigned limit, const char *why)
{
	*fault = (struct stream_fault){ "shader text", "inputs", n, limit, why };
	return false;
}

/*
 * The two sides of colours have entries of their own, of which none may be the last. Where they
 * reach it virglrenderer gives the shader up as soon as a rasterizer asks for two sides, though it
 * has been bound, and then reads what it has made of it.
 */
bool tgsi_check_link(const struct tgsi_facts *earlier, const struct tgsi_facts *later,
	struct stream_fault *fault)
{
	unsigned n_declarations = later->n_input_declarations;
	if (later->n_color_inputs)
		n_declarations += later->n_color_inputs + 1u;
	if (later->n_color_inputs && n_declarations >= TGSI_IO_DECLARATIONS_MAX)
		return refuse_inputs(fault, n_declarations, TGSI_IO_DECLARATIONS_MAX - 1,
			"too many inputs with the other sides of colours");
	n_declarations += count_missing(earlier, later);
	return n_declarations <= TGSI_IO_DECLARATIONS_MAX ||
	       refuse_inputs(fault, n_declarations, TGSI_IO_DECLARATIONS_MAX,
		       "too many inputs with those that the stage before puts out");
}
