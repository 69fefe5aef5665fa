/* SPDX-License-Identifier: MIT */
/*
 * causes: everything that can be wrong, what it means and how it is put right.
 *
 * A finding that warns or fails names one of these. The ids are part of the JSON's contract: they
 * are never renamed. Texts are for a person: one sentence each; {} is replaced by the finding's
 * argument.
 */
#pragma once

#include <stddef.h>

struct cause {
	const char *id;
	const char *text;
	const char *fix;
};

extern const struct cause causes[];
extern const size_t causes_length;

const struct cause *cause_find(const char *id);
/* Writes `text` with every {} replaced by `argument` (NULL: ""). */
void cause_expand(const char *text, const char *argument, char *out, size_t size);
