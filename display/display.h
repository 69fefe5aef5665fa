/* SPDX-License-Identifier: MIT */
/*
 * display: serves the side of one desktop that people see. It connects keeper, render, QEMU and
 * spice-server with each other; its parts are in display_parts.h.
 *
 * Threads: main loop.
 */
#pragma once

#include <stdbool.h>

#include "display/display_walls.h"
#include "display/relay/client_policy.h"
#include "display/spice/agent_filter.h"
#include "display/video/video.h"

struct display;

struct display_options {
	char *name;        /* what clients see as the desktop's name; NULL: none */
	bool server_clock; /* do not correct spice-server's clock (relay/relay.h) */
	struct video_options video;
	struct agent_policy agent;
	struct relay_policy clients;
	struct display_walls *walls; /* begun; the display finishes them before it says READY */
};

/*
 * Takes over keeper_fd. `done` is called once, when the keeper has left or said something wrong
 * (fault); then the display is to be destroyed. Returns NULL when it cannot start (logged). The
 * options' texts stay the caller's and must outlive the display.
 */
struct display *display_create(int keeper_fd, const struct display_options *options,
	void (*done)(void *user, bool fault), void *user);
void display_destroy(struct display *display);
