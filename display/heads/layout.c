/* SPDX-License-Identifier: MIT */
#include "display/heads/layout.h"

#include <glib.h>

#include "display/heads/limits.h"

static bool overlap(const struct frame_head_mode *a, const struct frame_head_mode *b)
{
	return a->enabled && b->enabled && a->x < (uint64_t)b->x + b->width &&
	       b->x < (uint64_t)a->x + a->width && a->y < (uint64_t)b->y + b->height &&
	       b->y < (uint64_t)a->y + a->height;
}

static bool any_overlap(const struct frame_head_mode *heads, unsigned n_heads)
{
	for (unsigned i = 0; i < n_heads; i++) {
		for (unsigned j = 0; j < i; j++) {
			if (overlap(&heads[i], &heads[j]))
				return true;
		}
	}
	return false;
}

static void begin_at_origin(struct frame_head_mode *heads, unsigned n_heads)
{
	uint32_t left = UINT32_MAX, top = UINT32_MAX;
	for (unsigned i = 0; i < n_heads; i++) {
		if (!heads[i].enabled)
			continue;
		left = MIN(left, heads[i].x);
		top = MIN(top, heads[i].y);
	}
	for (unsigned i = 0; i < n_heads; i++) {
		if (!heads[i].enabled)
			continue;
		heads[i].x -= left;
		heads[i].y -= top;
	}
}

static bool is_too_large(const struct frame_head_mode *heads, unsigned n_heads)
{
	for (unsigned i = 0; i < n_heads; i++) {
		if (heads[i].enabled &&
			((uint64_t)heads[i].x + heads[i].width > LAYOUT_SIZE_MAX ||
				(uint64_t)heads[i].y + heads[i].height > LAYOUT_SIZE_MAX))
			return true;
	}
	return false;
}

static void put_into_row(struct frame_head_mode *heads, unsigned n_heads)
{
	uint32_t x = 0;
	for (unsigned i = 0; i < n_heads; i++) {
		if (!heads[i].enabled)
			continue;
		heads[i].x = x;
		heads[i].y = 0;
		x += heads[i].width;
	}
}

bool layout_arrange(struct frame_head_mode *heads, unsigned n_heads)
{
	g_assert(n_heads <= FRAME_HEADS_MAX);
	begin_at_origin(heads, n_heads);
	if (!any_overlap(heads, n_heads) && !is_too_large(heads, n_heads))
		return true;
	put_into_row(heads, n_heads);
	return !is_too_large(heads, n_heads);
}
