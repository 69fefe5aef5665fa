/* SPDX-License-Identifier: MIT */
/*
 * screenshot passes requests for pictures on to display, and its answers back
 * (protocol/screenshot_request.h). Everything happens on the main thread.
 */
#pragma once

#include "protocol/screenshot_request.h"
#include "server/keeper/viewer.h"

struct screenshot {
	struct viewer *viewer;
	int asker; /* -1: nobody waits */
	unsigned timer;
};

#define SCREENSHOT_NONE ((struct screenshot){ .asker = -1 })

/* The viewer must live longer. */
void screenshot_init(struct screenshot *screenshot, struct viewer *viewer);
void screenshot_finish(struct screenshot *screenshot);

/* Takes `asker`, which is answered, now or later. */
void screenshot_ask(
	struct screenshot *screenshot, const struct screenshot_request *request, int asker);
/* Display has answered. */
void screenshot_taken(
	struct screenshot *screenshot, const struct keeper_screenshot_taken *taken, int fd);
