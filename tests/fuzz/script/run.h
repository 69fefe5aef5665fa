/* SPDX-License-Identifier: MIT */
/*
 * run: virglrenderer in this process, as the renderer has it: software OpenGL on no device, two
 * contexts, resources with memory behind them.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "tests/fuzz/script/script.h"

#define RUN_CONTEXT 1u       /* the script's */
#define RUN_OTHER_CONTEXT 2u /* has what the script's is not given */

/* Once a process. False (logged) when there is no OpenGL. */
bool run_start(void);
/* New contexts, and the script's resources. */
void run_begin(const struct script *script);
void run_submit(void *user, uint32_t context, uint32_t *words, uint32_t n_words);
void run_unref(uint32_t resource);
/* All that run_begin() made goes. */
void run_end(void);
/* The whole script, with nothing between. */
void run_script(const struct script *script);
/* What virglrenderer has complained of since run_begin(), one a line; empty: it took everything. */
const char *run_complaints(void);
