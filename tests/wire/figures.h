/* SPDX-License-Identifier: MIT */
/* figures: what vitrine stats says of a desktop under test. */
#pragma once

#include "tests/wire/wire.h"

/* The lines of vitrine stats with one more argument (NULL: none). Free with g_strfreev(). */
char **figures_ask(struct desktop *desktop, const char *argument);
/* The figure on the line that begins with "vitrine WHAT "; aborts the test when there is none. */
uint64_t figures_find(char **lines, const char *what);
/* Both. */
uint64_t figures_get(struct desktop *desktop, const char *what);
/* Until it is `value`: wishes travel through several processes. */
void figures_wait(struct desktop *desktop, const char *what, uint64_t value);
