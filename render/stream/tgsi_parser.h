/* SPDX-License-Identifier: MIT */
/*
 * tgsi_parser: holds what the parts of the reader of shader texts share. Only tgsi*.c include it.
 *
 * The grammar is virglrenderer's (tgsi_text.c), word for word: whatever passes here it reads the
 * same way. Functions that return bool have said in parser->fault what is wrong when they fail.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "render/stream/tgsi.h"
#include "render/stream/tgsi_limits.h"
#include "render/stream/tgsi_words.h"

/*
 * A word has at most this many bytes with its NUL; virglrenderer bounds names of properties to as
 * many.
 */
#define TGSI_WORD_BYTES 64

/* Says of a declaration of inputs or outputs what virglrenderer tells it from another by. */
struct tgsi_io {
	uint32_t first, last, semantic_index;
	int semantic, array;
};

struct tgsi_parser {
	const char *text, *at, *end; /* *end is the NUL */
	struct tgsi_facts *facts;
	struct stream_fault *fault;

	unsigned vertices;                      /* what IN[] means; 0: nothing */
	uint32_t n_vertices_out, n_invocations; /* that a geometry shader says it has */
	/* It says that it puts out vertices to another stream than the first. */
	bool has_streams;
	uint8_t not_zero[TGSI_IMMEDIATES_MAX]; /* bit i: component i of a constant may not be 0 */
	unsigned depth;
	unsigned n_input_declarations, n_output_declarations;
	unsigned n_input_registers, n_output_registers, n_output_arrays;
	unsigned n_atomic_ranges, n_system_values, n_registers, n_temporary_ranges;
	uint64_t search_steps;
	uint64_t system_values[2]; /* as facts->inputs */
	uint64_t point_sizes[2];   /* outputs that are PSIZE */
	struct tgsi_io inputs[TGSI_IO_DECLARATIONS_MAX], outputs[TGSI_IO_DECLARATIONS_MAX];
};

/* ---- tgsi_reader.c: characters and numbers ---- */

/*
 * Both return false. tgsi_refuse_grammar() writes *fault with the place in the text as its value
 * and the text's length as its limit.
 */
bool tgsi_refuse_grammar(struct tgsi_parser *parser, const char *why);
bool tgsi_refuse(struct tgsi_parser *parser, const char *field, uint64_t value, uint64_t limit,
	const char *why);

void tgsi_skip_white(struct tgsi_parser *parser);
bool tgsi_expect_white(struct tgsi_parser *parser);
/*
 * Moves on when `c` is here. White space before it is skipped by tgsi_accept_after_white() alone.
 */
bool tgsi_accept(struct tgsi_parser *parser, char c);
/* Leaves the place alone when `c` does not follow. */
bool tgsi_accept_after_white(struct tgsi_parser *parser, char c);
bool tgsi_expect(struct tgsi_parser *parser, char c);

/*
 * Copies the word that is here, in upper case, without moving on: letters, digits and '_'. Returns
 * its length, or 0 when there is none, or it is longer than any that means something.
 */
unsigned tgsi_peek_word(const struct tgsi_parser *parser, char word[static TGSI_WORD_BYTES]);
/*
 * Moves on when `find` knows the word, and returns what `find` does. Returns -1 when it does not,
 * and consumes nothing.
 */
int tgsi_accept_word(struct tgsi_parser *parser, int (*find)(const char *word));
bool tgsi_accept_this_word(struct tgsi_parser *parser, const char *word);

bool tgsi_peek_digit(const struct tgsi_parser *parser);
/* Reads a number. One above `max` is a fault of `field`. */
bool tgsi_read_number(
	struct tgsi_parser *parser, const char *field, uint32_t max, uint32_t *number);
/* Does the same for a number that may have a sign. */
bool tgsi_read_index(struct tgsi_parser *parser, const char *field, int min, int max, int *index);
/*
 * Skips digits, as many as there are: constants index nothing, so they need no bound. Returns false
 * when there was none, which is no fault.
 */
bool tgsi_skip_digits(struct tgsi_parser *parser);

/* ---- tgsi_operand.c ---- */

struct tgsi_bracket {
	int index;
	bool indirect;
	uint32_t array;
};

struct tgsi_register {
	enum tgsi_file file;
	struct tgsi_bracket index, dimension;
	bool has_dimension;
	unsigned component; /* of a source: the first one that is read, 0 to 3 */
};

bool tgsi_read_destination(struct tgsi_parser *parser, struct tgsi_register *reg);
bool tgsi_read_source(struct tgsi_parser *parser, struct tgsi_register *reg);
bool tgsi_read_offset(struct tgsi_parser *parser, struct tgsi_register *reg);
bool tgsi_accept_mask(struct tgsi_parser *parser);

/* ---- lines, each from behind its first word ---- */

bool tgsi_read_declaration(struct tgsi_parser *parser);
bool tgsi_read_immediate(struct tgsi_parser *parser);
bool tgsi_read_property(struct tgsi_parser *parser);
bool tgsi_read_instruction(struct tgsi_parser *parser);

static inline void tgsi_set_bits(uint64_t bits[2], unsigned first, unsigned last)
{
	for (unsigned i = first; i <= last; i++)
		bits[i / 64] |= UINT64_C(1) << i % 64;
}

static inline bool tgsi_has_bit(const uint64_t bits[2], unsigned i)
{
	return bits[i / 64] >> i % 64 & 1;
}
