/* SPDX-License-Identifier: MIT */
/*
 * causes lists everything that can be wrong, what it means and how it is put right.
 *
 * A finding that warns or fails names one of these. Their ids are part of the JSON's contract, so
 * they are never renamed. The texts address a person, one sentence each; {} in them stands for the
 * finding's argument.
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
/* Writes `text` with `argument` in place of every {}. A NULL argument counts as empty. */
void cause_expand(const char *text, const char *argument, char *out, size_t size);
