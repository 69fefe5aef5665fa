/* SPDX-License-Identifier: MIT */
/*
 * generate: writes valid virgl command streams, from virglrenderer's protocol and what Mesa's
 * encoder emits. It knows nothing of the checker that its scripts test.
 */
#pragma once

#include "tests/fuzz/script/choices.h"
#include "tests/fuzz/script/script.h"

/* Bounds the commands that are chosen; those that they need come on top. */
#define GENERATE_COMMANDS_MAX 48u
#define GENERATE_AROUND_MAX 4u /* before the wanted one, and after it */

/*
 * Writes a script (initialised, empty) that ends with the choices or after some commands. `wanted`
 * names a command (generate_name()) that the script is then about, or is NULL: it has few others,
 * but a draw and a computation follow, for what only they look at.
 */
void generate(struct choices *choices, const char *wanted, struct script *script);
/*
 * Returns the index-th command that can be asked for; NULL beyond the last. A name may come twice.
 */
const char *generate_name(unsigned index);
/*
 * Returns whether virglrenderer 0.10.4 takes the command on every host: a script with another is
 * valid elsewhere.
 */
bool generate_is_everywhere(unsigned index);
