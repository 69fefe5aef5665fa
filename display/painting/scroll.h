/* SPDX-License-Identifier: MIT */
/*
 * scroll: has a part of the picture moved up or down? A terminal or a page that scrolls is then
 * sent as "show here what is shown there", about 80 bytes, and what came into sight.
 *
 * The hashes of a column of strips before and after tell: a strip that was in the column before,
 * once, and is now in another row votes for that distance. The distance with most votes is tried on
 * the columns and rows around.
 *
 * Threads: none of its own; the worker thread of the head.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display/painting/strips.h"

/* Fewer strips than so many are sent as they are. */
#define SCROLL_STRIPS_MIN 128u
#define SCROLL_ROWS_MIN 32u

struct scroll {
	struct rect rect; /* shows what was shown at ... */
	uint32_t from_y;  /* ... the same x and this y */
};

/*
 * Between strips_look and strips_take. True: the tiles know already that `scroll` was done, and
 * what differs from then on.
 */
bool scroll_find(struct strips *tiles, struct scroll *scroll);
