/* SPDX-License-Identifier: MIT */
#include "common/rect_set.h"

#include <glib.h>

bool rect_is_empty(const struct frame_rect *rect)
{
	return rect->width == 0 || rect->height == 0;
}

static void intersect_axis(
	uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size, uint32_t *start, uint32_t *size)
{
	uint64_t from = MAX(a, b);
	uint64_t to = MIN((uint64_t)a + a_size, (uint64_t)b + b_size);
	*start = (uint32_t)from;
	*size = to > from ? (uint32_t)(to - from) : 0;
}

struct frame_rect rect_intersect(const struct frame_rect *a, const struct frame_rect *b)
{
	struct frame_rect r;
	intersect_axis(a->x, a->width, b->x, b->width, &r.x, &r.width);
	intersect_axis(a->y, a->height, b->y, b->height, &r.y, &r.height);
	if (rect_is_empty(&r))
		r.width = r.height = 0;
	return r;
}

bool rect_fits(const struct frame_rect *rect, uint32_t width, uint32_t height)
{
	return rect->x <= width && rect->width <= width - rect->x && rect->y <= height &&
	       rect->height <= height - rect->y;
}

bool rect_contains(const struct frame_rect *outer, const struct frame_rect *inner)
{
	return inner->x >= outer->x && inner->y >= outer->y &&
	       (uint64_t)inner->x + inner->width <= (uint64_t)outer->x + outer->width &&
	       (uint64_t)inner->y + inner->height <= (uint64_t)outer->y + outer->height;
}

static struct frame_rect rect_union(const struct frame_rect *a, const struct frame_rect *b)
{
	uint32_t x = MIN(a->x, b->x), y = MIN(a->y, b->y);
	uint64_t right = MAX((uint64_t)a->x + a->width, (uint64_t)b->x + b->width);
	uint64_t bottom = MAX((uint64_t)a->y + a->height, (uint64_t)b->y + b->height);
	return (struct frame_rect){ x, y, (uint32_t)(right - x), (uint32_t)(bottom - y) };
}

static uint64_t rect_area(const struct frame_rect *r)
{
	return (uint64_t)r->width * r->height;
}

void region_clear(struct region *region)
{
	region->n_rects = 0;
}

bool region_is_empty(const struct region *region)
{
	return region->n_rects == 0;
}

void region_remove_covered(struct region *region, const struct frame_rect *rect)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < region->n_rects; i++) {
		if (!rect_contains(rect, &region->rects[i]))
			region->rects[kept++] = region->rects[i];
	}
	region->n_rects = kept;
}

/* The rectangle that grows least when it takes `rect` in. */
static unsigned cheapest_merge(const struct region *region, const struct frame_rect *rect)
{
	unsigned best = 0;
	uint64_t best_cost = UINT64_MAX;
	for (unsigned i = 0; i < region->n_rects; i++) {
		struct frame_rect both = rect_union(&region->rects[i], rect);
		uint64_t cost = rect_area(&both) - rect_area(&region->rects[i]);
		if (cost < best_cost) {
			best_cost = cost;
			best = i;
		}
	}
	return best;
}

void region_add(struct region *region, const struct frame_rect *rect)
{
	if (rect_is_empty(rect))
		return;
	struct frame_rect added = *rect;
	for (unsigned i = 0; i < region->n_rects; i++) {
		if (rect_contains(&region->rects[i], &added))
			return;
	}
	if (region->n_rects == FRAME_RECTS_MAX) {
		unsigned i = cheapest_merge(region, &added);
		added = rect_union(&region->rects[i], &added);
	}
	region_remove_covered(region, &added);
	region->rects[region->n_rects++] = added;
}

void region_add_region(struct region *region, const struct region *other)
{
	for (unsigned i = 0; i < other->n_rects; i++)
		region_add(region, &other->rects[i]);
}
