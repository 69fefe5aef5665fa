/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/script/choices.h"

void choices_from_seed(struct choices *choices, uint64_t seed)
{
	*choices = (struct choices){ .state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1 };
}

void choices_from_bytes(struct choices *choices, const uint8_t *bytes, size_t n_bytes)
{
	*choices = (struct choices){ .bytes = bytes, .n_bytes = n_bytes };
}

bool choices_are_left(const struct choices *choices)
{
	return !choices->bytes || choices->n_bytes > 0;
}

/* Is splitmix64, by Sebastiano Vigna: each state gives one number, and no state is bad. */
static uint64_t next_of_seed(struct choices *choices)
{
	uint64_t z = choices->state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Takes as few bytes as the number of possibilities needs, so that a mutation stays local. */
static uint64_t next_of_bytes(struct choices *choices, uint32_t n)
{
	uint64_t value = 0;
	for (uint64_t reach = 1; reach < n; reach *= 256) {
		if (choices->n_bytes == 0)
			return 0;
		value = value << 8 | *choices->bytes++;
		choices->n_bytes--;
	}
	return value;
}

uint32_t choose(struct choices *choices, uint32_t n)
{
	if (n <= 1)
		return 0;
	return (uint32_t)((choices->bytes ? next_of_bytes(choices, n) : next_of_seed(choices)) % n);
}

uint32_t choose_between(struct choices *choices, uint32_t low, uint32_t high)
{
	return low + choose(choices, high - low + 1);
}

bool choose_rarely(struct choices *choices, uint32_t n)
{
	return choose(choices, n) == n - 1;
}

uint32_t choose_bits(struct choices *choices, const struct choice_bits *bits, unsigned n_bits)
{
	uint32_t word = 0;
	for (unsigned i = 0; i < n_bits; i++)
		word |= choose(choices, bits[i].n) << bits[i].shift;
	return word;
}
