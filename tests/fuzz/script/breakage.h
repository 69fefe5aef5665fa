/* SPDX-License-Identifier: MIT */
/*
 * breakage: makes exactly one thing of a valid script wrong: one field of one command, its length,
 * its number, its text, or the life of a resource or an object that it uses.
 */
#pragma once

#include "tests/fuzz/script/choices.h"
#include "tests/fuzz/script/script.h"

/* Says what was broken, and how. The strings are static or the script's. */
struct breakage {
	const char *command, *field, *way;
	uint32_t index; /* of the command in the script */
	uint32_t before, after;
};

/*
 * Breaks a command of that name (NULL: any). Returns false when there is none. A broken script is
 * good only to be run: its commands and fields may no longer be where it says.
 */
bool breakage_make(struct choices *choices, struct script *script, const char *wanted,
	struct breakage *breakage);
/* Returns one line, which the caller frees. */
char *breakage_describe(const struct breakage *breakage);
