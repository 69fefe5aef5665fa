/* SPDX-License-Identifier: MIT */
/*
 * run: holds virglrenderer in this process, as the renderer has it: software OpenGL on no device,
 * two contexts, resources with memory behind them.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "tests/fuzz/script/script.h"

#define RUN_CONTEXT 1u       /* the script's */
#define RUN_OTHER_CONTEXT 2u /* has what the script's is not given */

/*
 * Starts virglrenderer, once a process. Returns false, with a line in the log, when there is no
 * OpenGL.
 */
bool run_start(void);
/* Makes new contexts and the script's resources. */
void run_begin(const struct script *script);
void run_submit(void *user, uint32_t context, uint32_t *words, uint32_t n_words);
void run_unref(uint32_t resource);
/* Destroys all that run_begin() made. */
void run_end(void);
/* Runs the whole script, with nothing between it and virglrenderer. */
void run_script(const struct script *script);
/*
 * Returns what virglrenderer has complained of since run_begin(), one a line; empty when it took
 * everything.
 */
const char *run_complaints(void);
