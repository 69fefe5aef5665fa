/* SPDX-License-Identifier: MIT */
/*
 * display: one desktop's person side: what connects both links, the screens, spice-server and QEMU.
 *
 * Threads: main loop.
 */
#pragma once

#include <stdbool.h>

#include "display/video/video.h"

struct display;

struct display_options {
	char *name;        /* what clients see; NULL: nothing */
	bool server_clock; /* do not correct spice-server's clock (relay/relay.h) */
	struct video_options video;
};

/*
 * `done` is called once, when the keeper has left or said something wrong (fault). NULL: no start.
 * The options' texts must outlive the display.
 */
struct display *display_create(int keeper_fd, const struct display_options *options,
	void (*done)(void *user, bool fault), void *user);
void display_destroy(struct display *display);
