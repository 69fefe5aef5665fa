/* SPDX-License-Identifier: MIT */
/*
 * picture_call asks the keeper for what a head shows (protocol/screenshot_request.h), without
 * waiting. Threads: main loop.
 */
#pragma once

#include "protocol/screenshot_request.h"

/*
 * Called once. `why` is NULL, or why there is no picture; `fd` is -1 or its memory, and stays the
 * call's.
 */
typedef void (*picture_call_done)(
	void *user, const char *why, const struct screenshot_answer *answer, int fd);

/* `path` is the keeper's socket for tickets. */
void picture_call_start(const char *path, uint32_t head, picture_call_done done, void *user);
