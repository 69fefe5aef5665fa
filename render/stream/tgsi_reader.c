/* SPDX-License-Identifier: MIT */
#include "render/stream/tgsi_parser.h"

bool tgsi_refuse(struct tgsi_parser *parser, const char *field, uint64_t value, uint64_t limit,
	const char *why)
{
	*parser->fault = (struct stream_fault){ "shader text", field, value, limit, why };
	return false;
}

bool tgsi_refuse_grammar(struct tgsi_parser *parser, const char *why)
{
	return tgsi_refuse(parser, "place", (uint64_t)(parser->at - parser->text),
		(uint64_t)(parser->end - parser->text), why);
}

static bool is_white(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c + 'A' - 'a') : c;
}

static bool is_word(char c)
{
	return is_digit(c) || c == '_' || (upper(c) >= 'A' && upper(c) <= 'Z');
}

void tgsi_skip_white(struct tgsi_parser *parser)
{
	while (is_white(*parser->at))
		parser->at++;
}

bool tgsi_expect_white(struct tgsi_parser *parser)
{
	if (!is_white(*parser->at))
		return tgsi_refuse_grammar(parser, "no white space where some must be");
	tgsi_skip_white(parser);
	return true;
}

bool tgsi_accept(struct tgsi_parser *parser, char c)
{
	if (*parser->at != c)
		return false;
	parser->at++;
	return true;
}

bool tgsi_accept_after_white(struct tgsi_parser *parser, char c)
{
	const char *here = parser->at;
	tgsi_skip_white(parser);
	if (tgsi_accept(parser, c))
		return true;
	parser->at = here;
	return false;
}

bool tgsi_expect(struct tgsi_parser *parser, char c)
{
	return tgsi_accept_after_white(parser, c) ||
	       tgsi_refuse_grammar(parser, "a bracket, brace or comma is missing");
}

unsigned tgsi_peek_word(const struct tgsi_parser *parser, char word[static TGSI_WORD_BYTES])
{
	unsigned n = 0;
	for (; n < TGSI_WORD_BYTES && is_word(parser->at[n]); n++)
		word[n] = upper(parser->at[n]);
	if (n == TGSI_WORD_BYTES)
		n = 0;
	word[n] = 0;
	return n;
}

int tgsi_accept_word(struct tgsi_parser *parser, int (*find)(const char *word))
{
	char word[TGSI_WORD_BYTES];
	unsigned n = tgsi_peek_word(parser, word);
	int found = n ? find(word) : -1;
	if (found >= 0)
		parser->at += n;
	return found;
}

bool tgsi_accept_this_word(struct tgsi_parser *parser, const char *expected)
{
	unsigned n = 0;
	while (expected[n] && upper(parser->at[n]) == expected[n])
		n++;
	if (expected[n] || is_word(parser->at[n]))
		return false;
	parser->at += n;
	return true;
}

bool tgsi_peek_digit(const struct tgsi_parser *parser)
{
	return is_digit(*parser->at);
}

bool tgsi_skip_digits(struct tgsi_parser *parser)
{
	const char *here = parser->at;
	while (is_digit(*parser->at))
		parser->at++;
	return parser->at > here;
}

bool tgsi_read_number(struct tgsi_parser *parser, const char *field, uint32_t max, uint32_t *number)
{
	uint64_t n = 0;
	if (!is_digit(*parser->at))
		return tgsi_refuse_grammar(parser, "a number is missing");
	for (; is_digit(*parser->at); parser->at++) {
		n = n * 10 + (uint64_t)(*parser->at - '0');
		if (n > UINT32_MAX)
			return tgsi_refuse(
				parser, field, n, max, "the number has no room in 32 bits");
	}
	if (n > max)
		return tgsi_refuse(parser, field, n, max, "above the limit");
	*number = (uint32_t)n;
	return true;
}

bool tgsi_read_index(struct tgsi_parser *parser, const char *field, int min, int max, int *index)
{
	uint32_t number;
	bool negative = tgsi_accept(parser, '-');
	if (!negative)
		tgsi_accept(parser, '+');
	if (!tgsi_read_number(parser, field,
		    negative ? (uint32_t)-min :
		    max < 0  ? 0 :
			       (uint32_t)max,
		    &number))
		return false;
	*index = negative ? -(int)number : (int)number;
	return true;
}
