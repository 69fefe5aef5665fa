/* SPDX-License-Identifier: MIT */
/*
 * rect_set is a bounded set of rectangles, used for damage and for what is stale in a buffer.
 *
 * It covers all that was added. It may cover more, since rectangles are merged when there are too
 * many.
 *
 * It is a plain value, which one thread uses at a time.
 */
#pragma once

#include "common/rect.h"

/* One PRESENT of the frame link carries as many (FRAME_RECTS_MAX), which render asserts. */
#define RECT_SET_MAX 32

struct rect_set {
	unsigned n_rects;
	struct rect rects[RECT_SET_MAX];
};

void rect_set_clear(struct rect_set *set);
bool rect_set_is_empty(const struct rect_set *set);
/* Adds a rectangle; an empty one changes nothing. */
void rect_set_add(struct rect_set *set, const struct rect *rect);
void rect_set_add_set(struct rect_set *set, const struct rect_set *other);
/* Drops the rectangles that lie entirely inside `rect`. */
void rect_set_remove_covered(struct rect_set *set, const struct rect *rect);
