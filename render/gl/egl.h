/* SPDX-License-Identifier: MIT */
/*
 * egl: decides what draws and where pictures lie.
 *
 * The choice is made once, at start, and said in one log line: the GPU of a render node, or
 * software on no device at all. All others ask here. The gpu thread calls it.
 */
#pragma once

#include <stdbool.h>

#include "render/gl/egl_display.h"

struct egl_choice {
	enum egl_platform platform;
	bool software;      /* the CPU draws */
	int render_node_fd; /* -1: none */
	char description[256];
};

/*
 * Opens the EGL display (egl_display.h) that the choice describes. When `render_node` is NULL it
 * takes the first node that works and does not draw with the CPU itself, else software. A node that
 * is named must work; else false is returned, which is logged. But one that is no DRM device at
 * all, such as QEMU's /dev/null, asks for software. The call sets environment variables that Mesa
 * reads, so it comes before any other call of GL, and comes again only after egl_abandon().
 */
bool egl_choose(struct egl_choice *choice, const char *render_node, bool software);
/* Undoes egl_choose() when what was chosen does not work after all. */
void egl_abandon(struct egl_choice *choice);

/*
 * Returns true when the node can be opened at all, or logs why not. Renderers that draw nothing
 * check their node in this way.
 */
bool egl_check_node(const char *render_node);
