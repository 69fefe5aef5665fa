/* SPDX-License-Identifier: MIT */
/*
 * egl: the one place that decides what draws and where pictures lie.
 *
 * Decided once, at start, and said in one log line: a render node's GPU, or software on no device at
 * all. Everything else asks here.
 */
#pragma once

#include <stdbool.h>

#include "render/buffer.h"

struct egl_choice {
	bool surfaceless;   /* no render node: EGL without any device */
	bool software;      /* Mesa's software renderer is forced */
	int render_node_fd; /* -1: none. Duplicate before giving it away. */
	char description[128];
};

/*
 * `render_node` NULL: the first one that opens, else software. One that is named must open (false,
 * logged, when it does not); if it turns out to be no render node, such as QEMU's /dev/null, that
 * asks for software. Sets environment variables that Mesa reads: call before any GL and any thread.
 */
bool egl_choose(struct egl_choice *choice, const char *render_node, bool software);

/* How scanout buffers are made under this choice. */
const struct buffer_interface *egl_buffer_interface(const struct egl_choice *choice);
