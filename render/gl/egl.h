/* SPDX-License-Identifier: MIT */
/*
 * egl: decides what draws and where pictures lie.
 *
 * The choice is made once, at start, and said in one log line: the GPU of a render node, or
 * software on no device at all. All others ask here. The gpu thread calls it. Which node is tried
 * the keeper says (server/keeper/gpu_search.h): a driver that crashes takes this process along.
 */
#pragma once

#include <stdbool.h>

#include "render/gl/egl_display.h"

struct egl_choice {
	enum egl_platform platform;
	bool software;         /* the CPU draws */
	int render_node_fd;    /* -1: none */
	char description[256]; /* or why there is none */
};

/*
 * Opens the EGL display (egl_display.h) that the choice describes: of the node, or with NULL of the
 * CPU. It opens no other node. Returns false when that does not work, and then the description is
 * the reason. A node that is no DRM device at all, such as QEMU's /dev/null, asks for the CPU. With
 * `hardware` that is none, and nor is one for which the CPU draws. The call sets environment
 * variables that Mesa reads, so it comes before any other call of GL, and comes once.
 */
bool egl_choose(struct egl_choice *choice, const char *render_node, bool hardware);
/* Undoes egl_choose() when what was chosen does not work after all. */
void egl_abandon(struct egl_choice *choice);

/*
 * Returns true when the node can be opened at all; else errno says why not. Renderers that draw
 * nothing check their node in this way.
 */
bool egl_check_node(const char *render_node);
