/* SPDX-License-Identifier: MIT */
#include "common/rect_set.h"

#include <glib.h>

void rect_set_clear(struct rect_set *set)
{
	set->n_rects = 0;
}

bool rect_set_is_empty(const struct rect_set *set)
{
	return set->n_rects == 0;
}

void rect_set_remove_covered(struct rect_set *set, const struct rect *rect)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < set->n_rects; i++) {
		if (!rect_contains(rect, &set->rects[i]))
			set->rects[kept++] = set->rects[i];
	}
	set->n_rects = kept;
}

/* Gives the index of the rectangle whose area grows least when it takes `rect` in. */
static unsigned cheapest_merge(const struct rect_set *set, const struct rect *rect)
{
	unsigned best = 0;
	uint64_t best_cost = UINT64_MAX;
	for (unsigned i = 0; i < set->n_rects; i++) {
		struct rect both = rect_join(&set->rects[i], rect);
		uint64_t cost = rect_area(&both) - rect_area(&set->rects[i]);
		if (cost < best_cost) {
			best_cost = cost;
			best = i;
		}
	}
	return best;
}

void rect_set_add(struct rect_set *set, const struct rect *rect)
{
	g_assert(set->n_rects <= RECT_SET_MAX);
	if (rect_is_empty(rect))
		return;
	struct rect added = *rect;
	for (unsigned i = 0; i < set->n_rects; i++) {
		if (rect_contains(&set->rects[i], &added))
			return;
	}
	if (set->n_rects == RECT_SET_MAX) {
		unsigned i = cheapest_merge(set, &added);
		added = rect_join(&set->rects[i], &added);
	}
	rect_set_remove_covered(set, &added);
	set->rects[set->n_rects++] = added;
}

void rect_set_add_set(struct rect_set *set, const struct rect_set *other)
{
	for (unsigned i = 0; i < other->n_rects; i++)
		rect_set_add(set, &other->rects[i]);
}
