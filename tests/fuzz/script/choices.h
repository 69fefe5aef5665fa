/* SPDX-License-Identifier: MIT */
/*
 * choices: makes a generator's decisions. A seed gives an endless row of them, always the same one;
 * a fuzzer's bytes give a row that ends, and each byte changed changes one decision.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct choices {
	uint64_t state;       /* of a seed's row */
	const uint8_t *bytes; /* NULL: a seed's row */
	size_t n_bytes;
};

void choices_from_seed(struct choices *choices, uint64_t seed);
/* Takes choices from `bytes`, which stay the caller's. When they are used up, every choice is 0. */
void choices_from_bytes(struct choices *choices, const uint8_t *bytes, size_t n_bytes);
bool choices_are_left(const struct choices *choices);
/* Returns one of 0 … n - 1; n is at least 1. */
uint32_t choose(struct choices *choices, uint32_t n);
/* Returns one of low … high, both included. */
uint32_t choose_between(struct choices *choices, uint32_t low, uint32_t high);
/* Returns true once in n times. */
bool choose_rarely(struct choices *choices, uint32_t n);

/* Describes a choice among n, for the bits from `shift` on. */
struct choice_bits {
	uint16_t n;
	uint8_t shift;
};
/*
 * Chooses several bit fields of one word. They are chosen in order, since C leaves open which
 * operand of an expression comes first, and a seed must mean the same with every compiler.
 */
uint32_t choose_bits(struct choices *choices, const struct choice_bits *bits, unsigned n_bits);
#define CHOOSE_BITS(choices, ...)                                                                  \
	choose_bits(choices, (const struct choice_bits[]){ __VA_ARGS__ },                          \
		sizeof((const struct choice_bits[]){ __VA_ARGS__ }) / sizeof(struct choice_bits))
