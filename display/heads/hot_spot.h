/* SPDX-License-Identifier: MIT */
/*
 * hot spot: finds out which pixel of a cursor's picture points, where the guest does not say it.
 *
 * Compositors that use atomic mode setting give 0,0 and put the picture's corner where the pointer
 * is, less the hot spot. Where the pointer is we know, since it was sent by us: once both have
 * settled, the difference is the hot spot. It counts only where it lies within what is drawn of the
 * picture: the guest may have moved its pointer by itself. What was found of a picture is known
 * when that is shown again.
 *
 * It is a plain value, a struct of zeros at first. Threads: one at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display/heads/limits.h"

struct hot_spot_shape {
	uint64_t hash; /* of the pixels */
	uint32_t left, top, right,
		bottom; /* of what is not transparent; right, bottom: behind it */
	uint32_t x, y;
	bool known;
	bool doubted;              /* another one was found last */
	uint32_t other_x, other_y; /* if doubted */
	uint64_t last_shown;
};

struct hot_spot {
	struct hot_spot_shape shapes[HOT_SPOT_SHAPES];
	struct hot_spot_shape *shown; /* NULL: none, or the guest says its hot spot */
	uint64_t n_shown;
};

/*
 * Says which picture is shown, with the hot spot that the guest has given it. Replaces that by what
 * is known, where it is 0,0.
 */
void hot_spot_show(struct hot_spot *spot, const uint32_t *pixels, uint32_t *x, uint32_t *y);
/*
 * Says that the pointer was sent to a place that lies so far right of and below the picture's
 * corner, and that neither has moved since. Returns true when this tells a new hot spot, which *x
 * and *y are set to. One that is known gives way to another one that is seen twice.
 */
bool hot_spot_settle(struct hot_spot *spot, int64_t dx, int64_t dy, uint32_t *x, uint32_t *y);
