/* SPDX-License-Identifier: MIT */
/*
 * render_walls is what vitrine-render may still do: no sockets but those it has, no other programs,
 * no files but those of Mesa and the GPU. The tables stand in the source, with reasons.
 *
 * A desktop's shaders have a folder of their own. What is found there is executed, so a renderer
 * that was taken over must not be able to put something there for other desktops or for the
 * user's other programs.
 */
#pragma once

#include "common/confine/confine.h"

struct worker_render_options;

/*
 * Tells Mesa where its cache is, and puts up the walls that hold for threads. It is called while
 * there is one thread. Returns false, which is logged, when the process must not go on.
 */
bool render_walls_begin(const struct worker_render_options *options, struct confine_state *state);
/* Puts up the others, once GL works. */
bool render_walls_finish(const struct worker_render_options *options, struct confine_state *state);
