/* SPDX-License-Identifier: MIT */
/*
 * run: gives a script to virglrenderer, in this process, as the renderer does: software OpenGL on
 * no device, a context, resources with memory behind them, and then one submission after the other.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "tests/fuzz/script/script.h"

/*
 * Looks at a submission before virglrenderer does, in its own memory; false keeps it out. `user` is
 * that of run_script().
 */
typedef bool run_check(void *user, const uint32_t *words, uint32_t n_words);

struct run_options {
	run_check *check; /* NULL: all goes in */
	/* Told of what the guest does besides; any may be NULL. */
	void (*on_resource)(void *user, const struct script_resource *resource);
	void (*on_unref)(void *user, uint32_t resource);
	void *user;
};

/* Once a process. False (logged) when there is no OpenGL. */
bool run_start(void);
/* From then on each script starts from a new context. Answers how many submissions went in. What
 * virglrenderer complains of is in run_complaints() until the next one. */
unsigned run_script(const struct script *script, const struct run_options *options);
/* One a line; empty: it took everything. */
const char *run_complaints(void);
