/* SPDX-License-Identifier: MIT */
/*
 * quick_compare: a strcmp for fuzzing without sanitizers. libFuzzer has one of its own that notes
 * all it compares, and a parser that looks words up in tables spent a quarter of its time there.
 * What can be learnt from the words is learnt in the runs with sanitizers.
 */
#pragma once

#include <string.h>

static inline int quick_compare(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (unsigned char)*a - (unsigned char)*b;
}

#define strcmp quick_compare
