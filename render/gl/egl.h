/* SPDX-License-Identifier: MIT */
/*
 * egl: the one place that decides what draws and where pictures lie.
 *
 * Decided once, at start, and said in one log line: a render node's GPU, or software on no device
 * at all. Everything else asks here. gpu thread.
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
 * Opens the EGL display (egl_display.h) that the choice describes. `render_node` NULL: the first
 * one that works and is not software itself, else software. One that is named must work (false,
 * logged, when it does not); if it turns out to be no DRM device at all, such as QEMU's /dev/null,
 * that asks for software. Sets environment variables that Mesa reads: call before any other GL,
 * once; again only after egl_abandon().
 */
bool egl_choose(struct egl_choice *choice, const char *render_node, bool software);
/* Undoes egl_choose(), when what was chosen does not work after all. */
void egl_abandon(struct egl_choice *choice);

/* True (or the reason logged) when the node can be opened at all. For renderers that draw nothing.
 */
bool egl_check_node(const char *render_node);
