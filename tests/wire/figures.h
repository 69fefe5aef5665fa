/* SPDX-License-Identifier: MIT */
/* figures: asks vitrine stats about a desktop under test. */
#pragma once

#include "tests/wire/wire.h"

/*
 * Returns the lines that vitrine stats prints when given `argument` too (NULL: no argument). Free
 * them with g_strfreev().
 */
char **figures_ask(struct desktop *desktop, const char *argument);
/*
 * Returns the figure on the line that begins with "vitrine WHAT "; aborts the test when there is
 * none.
 */
uint64_t figures_find(char **lines, const char *what);
/* Asks and finds in one call. */
uint64_t figures_get(struct desktop *desktop, const char *what);
/*
 * Asks until the figure is `value`, since a client's wish travels through several processes first.
 */
void figures_wait(struct desktop *desktop, const char *what, uint64_t value);
