/* SPDX-License-Identifier: MIT */
/*
 * This file reads lines that begin with IMM or PROPERTY: constants, and what is said of the whole
 * shader.
 */
#include <string.h>

#include "render/stream/tgsi_parser.h"

enum immediate { FLOAT32, UINT32, INT32, FLOAT64, UINT64, INT64 };

/* ---- constants ---- */

/*
 * Reads "0x" and eight digits. virglrenderer skips as many characters whatever they are, in 0.10.4
 * even those behind the text.
 */
static bool read_hex(struct tgsi_parser *parser)
{
	parser->at += 2;
	for (unsigned i = 0; i < 8; i++, parser->at++)
		if (!*parser->at || !strchr("0123456789abcdefABCDEF", *parser->at))
			return tgsi_refuse_grammar(parser, "not eight hexadecimal digits");
	return true;
}

static bool is_hex(const struct tgsi_parser *parser)
{
	return parser->at[0] == '0' && parser->at[1] == 'x';
}

static void accept_sign(struct tgsi_parser *parser)
{
	if (!tgsi_accept(parser, '-'))
		tgsi_accept(parser, '+');
}

static bool read_exponent(struct tgsi_parser *parser)
{
	if (!tgsi_accept(parser, 'e') && !tgsi_accept(parser, 'E'))
		return true;
	accept_sign(parser);
	return tgsi_skip_digits(parser) ||
	       tgsi_refuse_grammar(parser, "an exponent without digits");
}

static bool read_decimal(struct tgsi_parser *parser)
{
	accept_sign(parser);
	bool digits = tgsi_skip_digits(parser);
	if (tgsi_accept(parser, '.'))
		digits |= tgsi_skip_digits(parser);
	if (!digits)
		return tgsi_refuse_grammar(parser, "a constant without digits");
	return read_exponent(parser);
}

static bool read_float(struct tgsi_parser *parser)
{
	return is_hex(parser) ? read_hex(parser) : read_decimal(parser);
}

/*
 * Reads two words in hexadecimal with ", " between, no more and no less, since virglrenderer skips
 * that many characters.
 */
static bool read_double_hex(struct tgsi_parser *parser)
{
	return read_hex(parser) &&
	       ((tgsi_accept(parser, ',') && tgsi_accept(parser, ' ') && is_hex(parser)) ||
		       tgsi_refuse_grammar(parser, "half of a double")) &&
	       read_hex(parser);
}

/* Reads a double in hexadecimal, or as printf() writes one. */
static bool read_double(struct tgsi_parser *parser)
{
	if (is_hex(parser))
		return read_double_hex(parser);
	const char *here = parser->at;
	accept_sign(parser);
	if (tgsi_accept_this_word(parser, "INF") || tgsi_accept_this_word(parser, "NAN"))
		return true;
	parser->at = here;
	return read_decimal(parser);
}

/*
 * Reads an integer of 64 bits. It refuses leading zeros, which virglrenderer takes for octal
 * numbers.
 */
static bool read_long(struct tgsi_parser *parser)
{
	accept_sign(parser);
	if (*parser->at == '0' && parser->at[1] >= '0' && parser->at[1] <= '9')
		return tgsi_refuse_grammar(parser, "an octal constant");
	return tgsi_skip_digits(parser) || tgsi_refuse_grammar(parser, "a constant without digits");
}

static bool read_integer(struct tgsi_parser *parser, bool has_sign)
{
	if (has_sign)
		accept_sign(parser);
	return tgsi_skip_digits(parser) || tgsi_refuse_grammar(parser, "a constant without digits");
}

static bool read_value(struct tgsi_parser *parser, enum immediate type)
{
	switch (type) {
	case FLOAT32:
		return read_float(parser);
	case FLOAT64:
		return read_double(parser);
	case UINT64:
	case INT64:
		return read_long(parser);
	default:
		return read_integer(parser, type == INT32);
	}
}

/* One of 64 bits is two components, of which either may have its bits. */
static void note_value(struct tgsi_parser *parser, unsigned i, bool is_long, const char *text)
{
	size_t length = (size_t)(parser->at - text);
	if (strspn(text, "0x.") < length)
		parser->not_zero[parser->facts->n_immediates] |=
			(uint8_t)(is_long ? 3u << 2 * i : 1u << i);
}

static bool read_values(struct tgsi_parser *parser, enum immediate type)
{
	unsigned n = type >= FLOAT64 ? 2 : 4;
	for (unsigned i = 0; i < n; i++) {
		if (!tgsi_expect(parser, i ? ',' : '{'))
			return false;
		tgsi_skip_white(parser);
		const char *text = parser->at;
		if (!read_value(parser, type))
			return false;
		note_value(parser, i, n == 2, text);
	}
	return tgsi_expect(parser, '}');
}

static bool read_number_of_immediate(struct tgsi_parser *parser)
{
	uint32_t number;
	if (!tgsi_accept(parser, '['))
		return true;
	tgsi_skip_white(parser);
	if (!tgsi_read_number(parser, "IMM", TGSI_IMMEDIATES_MAX - 1, &number))
		return false;
	if (number != parser->facts->n_immediates)
		return tgsi_refuse(parser, "IMM", number, parser->facts->n_immediates,
			"constants out of their order");
	return tgsi_expect(parser, ']');
}

bool tgsi_read_immediate(struct tgsi_parser *parser)
{
	if (parser->facts->n_immediates >= TGSI_IMMEDIATES_MAX)
		return tgsi_refuse(parser, "immediates", TGSI_IMMEDIATES_MAX + 1,
			TGSI_IMMEDIATES_MAX, "too many constants");
	if (!read_number_of_immediate(parser) || !tgsi_expect_white(parser))
		return false;
	int type = tgsi_accept_word(parser, tgsi_find_immediate_type);
	if (type < 0)
		return tgsi_refuse_grammar(parser, "a constant of no type");
	if (!read_values(parser, (enum immediate)type))
		return false;
	parser->facts->n_immediates++;
	return true;
}

/* ---- properties ---- */

static bool expect_word(struct tgsi_parser *parser, int (*find)(const char *word))
{
	return tgsi_accept_word(parser, find) >= 0 ||
	       tgsi_refuse_grammar(parser, "a property has no such value");
}

static bool read_primitive(struct tgsi_parser *parser, bool input)
{
	char word[TGSI_WORD_BYTES];
	unsigned n = tgsi_peek_word(parser, word);
	unsigned vertices = n ? tgsi_primitive_vertices(word) : 0;
	if (!vertices)
		return tgsi_refuse_grammar(parser, "there is no such primitive");
	parser->at += n;
	if (input && parser->facts->stage == TGSI_GEOMETRY)
		parser->vertices = vertices;
	return true;
}

static bool read_property_value(struct tgsi_parser *parser, int property)
{
	uint32_t value;
	switch (property) {
	case TGSI_PROPERTY_PRIMITIVE_IN:
	case TGSI_PROPERTY_PRIMITIVE_OUT:
		return read_primitive(parser, property == TGSI_PROPERTY_PRIMITIVE_IN);
	case TGSI_PROPERTY_VERTICES_OUT:
		return tgsi_read_number(parser, "PROPERTY", UINT32_MAX, &parser->n_vertices_out);
	case TGSI_PROPERTY_INVOCATIONS:
		return tgsi_read_number(parser, "PROPERTY", UINT32_MAX, &parser->n_invocations);
	case TGSI_PROPERTY_COORD_ORIGIN:
		return expect_word(parser, tgsi_find_origin);
	case TGSI_PROPERTY_COORD_CENTER:
		return expect_word(parser, tgsi_find_center);
	case TGSI_PROPERTY_NEXT_SHADER:
		return expect_word(parser, tgsi_find_stage);
	case TGSI_PROPERTY_CLIP_DISTANCES:
		return tgsi_read_number(
			parser, "NUM_CLIPDIST_ENABLED", TGSI_CLIP_DISTANCES_MAX, &value);
	case TGSI_PROPERTY_CULL_DISTANCES:
		return tgsi_read_number(
			parser, "NUM_CULLDIST_ENABLED", TGSI_CLIP_DISTANCES_MAX, &value);
	default:
		return tgsi_read_number(parser, "PROPERTY", UINT32_MAX, &value);
	}
}

/* Skips the rest of the line of a property that virglrenderer does not know, as it does. */
static void skip_line(struct tgsi_parser *parser)
{
	while (*parser->at && *parser->at != '\n')
		parser->at++;
}

bool tgsi_read_property(struct tgsi_parser *parser)
{
	char word[TGSI_WORD_BYTES];
	if (!tgsi_expect_white(parser))
		return false;
	unsigned n = tgsi_peek_word(parser, word);
	if (!n || tgsi_peek_digit(parser))
		return tgsi_refuse_grammar(parser, "a property without a name");
	parser->at += n;
	int property = tgsi_find_property(word);
	if (property < 0) {
		skip_line(parser);
		return true;
	}
	tgsi_skip_white(parser);
	return read_property_value(parser, property);
}
