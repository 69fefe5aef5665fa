/* SPDX-License-Identifier: MIT */
#include "display/painting/video_area_growth.h"

#include <glib.h>

#include "common/rect.h"

/* Two that are joined may be larger than both together by half: this many percent of them. */
#define JOIN_PERCENT 150u
/* If less of the head than this, in percent, moves outside its areas, nothing moves about. */
#define OUTSIDE_PERCENT 5u

bool growth_is_large(const struct rect *rect)
{
	return rect->width >= VIDEO_AREAS_SIDE_MIN && rect->height >= VIDEO_AREAS_SIDE_MIN &&
	       rect_area(rect) >= VIDEO_AREAS_PIXELS_MIN;
}

/* Says whether one area that lives has all of the rectangle. */
static bool is_covered(const struct video_areas *areas, const struct rect *rect)
{
	for (unsigned i = 0; i < areas->n_live; i++) {
		if (rect_contains(&areas->live[i].rect, rect))
			return true;
	}
	return false;
}

bool growth_touches_live(const struct video_areas *areas, const struct rect *rect)
{
	for (unsigned i = 0; i < areas->n_live; i++) {
		if (activity_touch(&areas->activity, &areas->live[i].rect, rect))
			return true;
	}
	return false;
}

bool growth_belongs_to_live(const struct video_areas *areas, const struct rect *rect)
{
	for (unsigned i = 0; i < areas->n_live; i++) {
		const struct rect *live = &areas->live[i].rect;
		struct rect both = rect_join(live, rect);
		if (activity_touch(&areas->activity, live, rect) &&
			rect_area(&both) * 100 <= rect_area(live) * (100 + GROWTH_BESIDE_PERCENT))
			return true;
	}
	return false;
}

static void make_side_even(uint32_t size, uint32_t *at, uint32_t *length)
{
	if (*length % 2 == 0)
		return;
	if (*length == size) {
		(*length)--;
		return;
	}
	*at -= *at + *length == size;
	(*length)++;
}

/*
 * Encoders that halve the colours' resolution want even sides. So an area gets one more row or
 * column, or, if it is all of a head with an odd side, one less: that one is sent without loss.
 */
static void make_even(const struct video_areas *areas, struct rect *rect)
{
	make_side_even(areas->activity.width, &rect->x, &rect->width);
	make_side_even(areas->activity.height, &rect->y, &rect->height);
}

bool growth_is_live(const struct video_areas *areas, struct rect rect)
{
	make_even(areas, &rect);
	return is_covered(areas, &rect);
}

/* ---- companions ---- */

/*
 * Says whether the cell is part of the area's edge, or of a prospect elsewhere, which is a film of
 * its own.
 */
static bool is_no_companion(
	const struct video_areas *areas, const struct rect *rect, const struct rect *cell)
{
	struct rect shared;
	if (rect_intersect(rect, cell, &shared))
		return true;
	for (unsigned i = 0; i < areas->prospects.n; i++) {
		const struct rect *box = &areas->prospects.list[i].box;
		if (rect_contains(box, cell) && growth_is_large(box) &&
			!rect_intersect(box, rect, &shared))
			return true;
	}
	return false;
}

/*
 * Returns the rectangle with active cells near it, and near those, that are in no area and no other
 * prospect.
 */
static struct rect with_near(const struct video_areas *areas, const struct rect *rect)
{
	const struct activity *activity = &areas->activity;
	struct rect box = *rect, before;
	do {
		before = box;
		struct rect near = activity_widen(activity, &box, GROWTH_NEAR), shared;
		for (uint32_t cell = 0; cell < activity_cells(activity); cell++) {
			struct rect one = activity_cell_rect(activity, cell);
			if (activity_is_active(activity, cell) &&
				rect_intersect(&near, &one, &shared) && !is_covered(areas, &one) &&
				!is_no_companion(areas, rect, &one))
				box = rect_join(&box, &one);
		}
	} while (!rect_equal(&box, &before));
	return box;
}

/*
 * Counts, in a cell's part outside the rectangle, the pixels like their neighbour (times 100), and
 * all.
 */
static void count_plain(const struct pixel_rows *pixels, const struct rect *cell,
	const struct rect *rect, uint64_t *equal, uint64_t *all)
{
	struct rect parts[4];
	unsigned n = rect_subtract(cell, rect, parts);
	for (unsigned i = 0; i < n; i++) {
		struct content content =
			content_look(pixels->bytes, pixels->stride_bytes, &parts[i]);
		*equal += rect_area(&parts[i]) * content.equal_percent;
		*all += rect_area(&parts[i]);
	}
}

/* Says whether what would be added and does not move is of one colour, which no encoder blurs. */
static bool is_plain_around(const struct video_areas *areas, const struct pixel_rows *pixels,
	const struct rect *box, const struct rect *rect)
{
	const struct activity *activity = &areas->activity;
	struct rect shared;
	uint64_t equal = 0, all = 0;
	for (uint32_t cell = 0; cell < activity_cells(activity); cell++) {
		struct rect one = activity_cell_rect(activity, cell);
		bool edge = rect_intersect(&one, rect, &shared);
		if (rect_intersect(&one, box, &shared) &&
			(edge || !activity_is_active(activity, cell)))
			count_plain(pixels, &shared, rect, &equal, &all);
	}
	return equal >= all * GROWTH_PLAIN_PERCENT;
}

struct rect growth_with_companions(
	const struct video_areas *areas, const struct pixel_rows *pixels, const struct rect *rect)
{
	struct rect box = with_near(areas, rect);
	bool worth = rect_area(&box) <= rect_area(rect) * GROWTH_COMPANY_TIMES;
	return worth && is_plain_around(areas, pixels, &box, rect) ? box : *rect;
}

/* ---- what moved of late ---- */

static bool is_recent(const struct video_areas *areas, uint32_t cell, int64_t now_us)
{
	struct rect rect = activity_cell_rect(&areas->activity, cell);
	return is_covered(areas, &rect) || activity_is_recent(&areas->activity, cell, now_us);
}

struct rect growth_with_recent(
	const struct video_areas *areas, const struct rect *rect, int64_t now_us)
{
	const struct activity *activity = &areas->activity;
	struct rect all = { 0, 0, activity->width, activity->height }, box = *rect;
	uint64_t moved = 0;
	for (uint32_t cell = 0; cell < activity_cells(activity); cell++) {
		struct rect one = activity_cell_rect(activity, cell);
		if (!is_recent(areas, cell, now_us))
			continue;
		moved += rect_area(&one);
		if (!activity_touch(activity, rect, &one))
			box = rect_join(&box, &one);
	}
	if (moved * 100 < rect_area(&box) * GROWTH_LARGE_PERCENT || rect_equal(&box, rect))
		return *rect;
	return rect_area(&box) * 100 >= rect_area(&all) * GROWTH_RECENT_PERCENT ? all : box;
}

bool growth_find_recent(const struct video_areas *areas, int64_t now_us, struct rect *box)
{
	uint32_t cells = activity_cells(&areas->activity), n = 0, n_outside = 0;
	for (uint32_t cell = 0; cell < cells; cell++) {
		struct rect rect = activity_cell_rect(&areas->activity, cell);
		bool live = is_covered(areas, &rect);
		if (!live && !is_recent(areas, cell, now_us))
			continue;
		n_outside += !live;
		*box = n++ > 0 ? rect_join(box, &rect) : rect;
	}
	return n * 100 >= cells * GROWTH_RECENT_PERCENT &&
	       n_outside * 100 >= cells * OUTSIDE_PERCENT;
}

/* Says whether two areas become one. */

static bool should_join(const struct video_areas *areas, const struct rect *a, const struct rect *b)
{
	struct rect both = rect_join(a, b), shared;
	if (rect_intersect(a, b, &shared))
		return true;
	return activity_touch(&areas->activity, a, b) &&
	       rect_area(&both) * 100 <= (rect_area(a) + rect_area(b)) * JOIN_PERCENT;
}

/* Each that joins may bring it to overlap the next: so the list is gone through again. */
struct rect growth_absorb(struct video_areas *areas, struct rect rect)
{
	make_even(areas, &rect);
	for (unsigned i = 0; i < areas->n_live;) {
		if (!should_join(areas, &areas->live[i].rect, &rect)) {
			i++;
			continue;
		}
		rect = rect_join(&areas->live[i].rect, &rect);
		make_even(areas, &rect);
		areas->live[i] = areas->live[--areas->n_live];
		i = 0;
	}
	return rect;
}
