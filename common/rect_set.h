/* SPDX-License-Identifier: MIT */
/*
 * rect_set: a bounded set of rectangles, used for damage and for what is stale in a buffer.
 *
 * It may grow to more than was added (rectangles are merged when there are too many), never to
 * less. A value type; no thread of its own.
 */
#pragma once

#include "common/rect.h"

/* As many as one PRESENT of the frame link carries (FRAME_RECTS_MAX); render asserts that. */
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
