/* SPDX-License-Identifier: MIT */
/*
 * This file reads registers as instructions name them: FILE[index], FILE[ADDR[0].x + 3](array),
 * FILE[dimension][index].
 */
#include <string.h>

#include "render/stream/tgsi_parser.h"

/*
 * Reads an address register, behind which a number to add may stand. The GLSL of both versions
 * knows no other file here.
 */
static bool read_address(struct tgsi_parser *parser, struct tgsi_bracket *bracket)
{
	uint32_t number;
	if (!tgsi_accept_this_word(parser, "ADDR"))
		return tgsi_refuse_grammar(parser, "neither a number nor an address register");
	if (!tgsi_expect(parser, '['))
		return false;
	tgsi_skip_white(parser);
	if (!tgsi_read_number(parser, "ADDR", TGSI_ADDRESSES_MAX - 1, &number) ||
		!tgsi_expect(parser, ']'))
		return false;
	bracket->indirect = true;
	if (tgsi_accept_after_white(parser, '.')) {
		tgsi_skip_white(parser);
		char c = *parser->at;
		if (!c || !strchr("xyzwXYZW", c))
			return tgsi_refuse_grammar(parser, "an address has no such component");
		parser->at++;
	}
	tgsi_skip_white(parser);
	return true;
}

/* Reads what stands between the brackets, of which the first one has been read. */
static bool read_bracket(struct tgsi_parser *parser, const char *field, int min, int max,
	struct tgsi_bracket *bracket)
{
	*bracket = (struct tgsi_bracket){ 0 };
	tgsi_skip_white(parser);
	bool number = tgsi_peek_digit(parser) || *parser->at == '-' || *parser->at == '+';
	if (!number && !read_address(parser, bracket))
		return false;
	if ((number || *parser->at == '-' || *parser->at == '+') &&
		!tgsi_read_index(parser, field, min, max, &bracket->index))
		return false;
	if (!tgsi_expect(parser, ']'))
		return false;
	if (!tgsi_accept(parser, '('))
		return true;
	tgsi_skip_white(parser);
	return tgsi_read_number(parser, "array", TGSI_ARRAY_MAX, &bracket->array) &&
	       tgsi_expect(parser, ')');
}

static int dimension_max(enum tgsi_file file)
{
	if (file == TGSI_FILE_CONSTANT || file == TGSI_FILE_HW_ATOMIC)
		return TGSI_CONSTANT_BUFFERS_MAX - 1;
	return TGSI_VERTICES_MAX - 1;
}

/*
 * Checks both numbers together, because only behind the first bracket it is known which of two is
 * the dimension.
 */
static bool check_indices(struct tgsi_parser *parser, const struct tgsi_register *reg)
{
	const struct tgsi_file_rule *rule = tgsi_file_rule(reg->file);
	int index = reg->index.index, max = rule->index_max;
	if (index < rule->index_min || index > max)
		return tgsi_refuse(parser, rule->name, (uint64_t)(int64_t)index,
			(uint64_t)(int64_t)max, "no register of this file has this number");
	bool io = reg->file == TGSI_FILE_INPUT || reg->file == TGSI_FILE_OUTPUT;
	if (io && reg->index.array >= TGSI_IO_REGISTERS_MAX)
		return tgsi_refuse(parser, "array", reg->index.array, TGSI_IO_REGISTERS_MAX - 1,
			"no array of inputs or outputs has this number");
	max = dimension_max(reg->file);
	if (reg->has_dimension && !reg->dimension.indirect &&
		(reg->dimension.index < 0 || reg->dimension.index > max))
		return tgsi_refuse(parser, rule->name, (uint64_t)(int64_t)reg->dimension.index,
			(uint64_t)max, "no such buffer or vertex");
	return true;
}

static bool read_file(struct tgsi_parser *parser, struct tgsi_register *reg)
{
	int file = tgsi_accept_word(parser, tgsi_find_file);
	if (file < 0)
		return tgsi_refuse_grammar(parser, "there is no such register file");
	*reg = (struct tgsi_register){ .file = (enum tgsi_file)file };
	return tgsi_expect(parser, '[') && read_bracket(parser, tgsi_file_rule(reg->file)->name,
						   TGSI_INDEX_MIN, TGSI_INDEX_MAX, &reg->index);
}

/*
 * Counts the steps of virglrenderer's searches. It searches for temporaries, and behind an address
 * it looks for any register of the file.
 */
static bool count_search(struct tgsi_parser *parser, const struct tgsi_register *reg)
{
	if (reg->file == TGSI_FILE_TEMPORARY)
		parser->search_steps += parser->n_temporary_ranges;
	if (reg->index.indirect)
		parser->search_steps += parser->n_registers;
	if (parser->search_steps > TGSI_SEARCH_STEPS_MAX)
		return tgsi_refuse(parser, "search steps", parser->search_steps,
			TGSI_SEARCH_STEPS_MAX, "too many registers for so many instructions");
	return true;
}

static bool read_register(struct tgsi_parser *parser, struct tgsi_register *reg)
{
	if (!read_file(parser, reg))
		return false;
	reg->has_dimension = tgsi_accept_after_white(parser, '[');
	if (reg->has_dimension) {
		reg->dimension = reg->index;
		if (!read_bracket(parser, tgsi_file_rule(reg->file)->name, TGSI_INDEX_MIN,
			    TGSI_INDEX_MAX, &reg->index))
			return false;
	}
	return check_indices(parser, reg) && count_search(parser, reg);
}

bool tgsi_accept_mask(struct tgsi_parser *parser)
{
	static const char components[] = "xX"
					 "yY"
					 "zZ"
					 "wW";
	if (!tgsi_accept_after_white(parser, '.'))
		return true;
	tgsi_skip_white(parser);
	const char *here = parser->at;
	for (unsigned i = 0; i < 8; i += 2)
		if (*parser->at == components[i] || *parser->at == components[i + 1])
			parser->at++;
	return parser->at > here || tgsi_refuse_grammar(parser, "a mask is empty");
}

static bool accept_swizzle(struct tgsi_parser *parser, struct tgsi_register *reg, unsigned n)
{
	static const char components[] = "xyzwXYZW";
	if (!tgsi_accept_after_white(parser, '.'))
		return true;
	tgsi_skip_white(parser);
	const char *first = parser->at;
	for (unsigned i = 0; i < n; i++, parser->at++)
		if (!*parser->at || !strchr(components, *parser->at))
			return tgsi_refuse_grammar(parser, "a swizzle has too few components");
	reg->component = (unsigned)(strchr(components, *first) - components) % 4;
	return true;
}

bool tgsi_read_destination(struct tgsi_parser *parser, struct tgsi_register *reg)
{
	return read_register(parser, reg) && tgsi_accept_mask(parser);
}

bool tgsi_read_source(struct tgsi_parser *parser, struct tgsi_register *reg)
{
	if (tgsi_accept(parser, '-'))
		tgsi_skip_white(parser);
	bool absolute = tgsi_accept(parser, '|');
	if (absolute)
		tgsi_skip_white(parser);
	return read_register(parser, reg) && accept_swizzle(parser, reg, 4) &&
	       (!absolute || tgsi_expect(parser, '|'));
}

bool tgsi_read_offset(struct tgsi_parser *parser, struct tgsi_register *reg)
{
	return read_file(parser, reg) && check_indices(parser, reg) && count_search(parser, reg) &&
	       accept_swizzle(parser, reg, 3);
}
