/* SPDX-License-Identifier: MIT */
/*
 * Makes a generator's decisions for fuzz_stream and fuzz_virgl: rows of each kind that inputs.h
 * reads.
 */
#include "tests/fuzz/script/choices.h"
#include "tests/fuzz/seeds.h"

#define SEEDS 16u
#define SEED_BYTES 512u

void seeds_stream(const char *directory)
{
	for (uint32_t seed = 0; seed < SEEDS; seed++) {
		g_autoptr(GByteArray) bytes = g_byte_array_new();
		g_autofree char *name = g_strdup_printf("row-%u", seed);
		struct choices choices;
		uint8_t kind = seed % 4;
		choices_from_seed(&choices, seed);
		g_byte_array_append(bytes, &kind, 1);
		for (uint32_t i = 0; i < SEED_BYTES; i++) {
			uint8_t byte = (uint8_t)choose(&choices, 256);
			g_byte_array_append(bytes, &byte, 1);
		}
		seeds_save(directory, name, bytes);
	}
}
