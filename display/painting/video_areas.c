/* SPDX-License-Identifier: MIT */
#include "display/painting/video_areas.h"

#include <glib.h>
#include <string.h>

#include "display/painting/content.h"
#include "common/rect.h"
#include "display/painting/strips.h"

#define BYTES_PER_PIXEL 4u
#define US_PER_SECOND 1000000
/* Two that are joined may be so much larger than both, in percent. */
#define JOIN_PERCENT 150u
/* Times that a candidate may grow before it is taken as it is. */
#define GROWTHS_MAX 3
/* Of a head, outside its regions: less is not what moves about. */
#define OUTSIDE_PERCENT 5u
/* 2^64 divided by the golden ratio, odd. */
#define MIX 0x9e3779b97f4a7c15u

struct picture_rows {
	const uint8_t *pixels; /* the head's upper left corner */
	uint32_t stride_bytes;
};

struct prospect {
	struct rect box;                       /* whole cells */
	struct rect change;                    /* what of it was seen to change, rows exactly */
	uint64_t columns[2][VIDEO_AREAS_CELL]; /* hashes of the pixel columns at its left and right
						  edge */
	bool moved[2][VIDEO_AREAS_CELL];
	unsigned looks, growths;
	int64_t first_us;
	int64_t lossless_until_us;
	bool confirmed; /* still active in this round */
};

struct video_areas *video_areas_create(uint32_t width, uint32_t height)
{
	struct video_areas *areas = g_new0(struct video_areas, 1);
	areas->width = width;
	areas->height = height;
	areas->columns = (width + VIDEO_AREAS_CELL - 1) / VIDEO_AREAS_CELL;
	areas->rows = (height + VIDEO_AREAS_CELL - 1) / VIDEO_AREAS_CELL;
	size_t cells = (size_t)areas->columns * areas->rows;
	areas->slots = g_new0(uint8_t, cells);
	areas->active_us = g_new(int64_t, cells);
	for (size_t i = 0; i < cells; i++)
		areas->active_us[i] = INT64_MIN / 2;
	areas->seen = g_new0(uint8_t, cells);
	areas->stack = g_new(uint32_t, cells);
	areas->candidates = g_new0(struct prospect, VIDEO_AREAS_MAX);
	return areas;
}

void video_areas_destroy(struct video_areas *areas)
{
	if (!areas)
		return;
	g_free(areas->slots);
	g_free(areas->active_us);
	g_free(areas->seen);
	g_free(areas->stack);
	g_free(areas->candidates);
	g_free(areas);
}

/* Cells. */

static void pass_time(struct video_areas *areas, int64_t now_us)
{
	int64_t slot = now_us / VIDEO_AREAS_SLOT_US, passed = slot - areas->slot;
	size_t cells = (size_t)areas->columns * areas->rows;
	if (passed == 0)
		return;
	areas->slot = slot;
	if (passed < 0 || passed >= VIDEO_AREAS_SLOTS) {
		memset(areas->slots, 0, cells);
		return;
	}
	for (size_t i = 0; i < cells; i++)
		areas->slots[i] = (uint8_t)(areas->slots[i] << passed);
}

void video_areas_note(struct video_areas *areas, int64_t now_us, const struct strips *tiles)
{
	pass_time(areas, now_us);
	for (uint32_t band = 0; band < tiles->bands; band++) {
		if (!tiles->band_changed[band])
			continue;
		const struct tile *changed = tiles->changed + (size_t)band * tiles->columns;
		uint8_t *slots = areas->slots +
				 (size_t)(band * STRIPS_ROWS / VIDEO_AREAS_CELL) * areas->columns;
		for (uint32_t column = 0; column < tiles->columns; column++) {
			if (changed[column].bottom > 0)
				slots[column] |= 1;
		}
	}
}

static bool is_active(const struct video_areas *areas, uint32_t cell)
{
	return __builtin_popcount(areas->slots[cell]) >= VIDEO_AREAS_SLOTS_ACTIVE;
}

static struct rect cell_rect(const struct video_areas *areas, uint32_t cell)
{
	uint32_t x = cell % areas->columns * VIDEO_AREAS_CELL,
		 y = cell / areas->columns * VIDEO_AREAS_CELL;
	return (struct rect){ x, y, MIN(VIDEO_AREAS_CELL, areas->width - x),
		MIN(VIDEO_AREAS_CELL, areas->height - y) };
}

static void push_if_active(struct video_areas *areas, uint32_t cell, uint32_t *n)
{
	if (areas->seen[cell] || !is_active(areas, cell))
		return;
	areas->seen[cell] = 1;
	areas->stack[(*n)++] = cell;
}

/* Everything active that hangs together with `first`. */
static struct rect flood(struct video_areas *areas, uint32_t first)
{
	struct rect box = cell_rect(areas, first);
	uint32_t n = 0;
	push_if_active(areas, first, &n);
	while (n > 0) {
		uint32_t cell = areas->stack[--n];
		uint32_t column = cell % areas->columns, row = cell / areas->columns;
		struct rect rect = cell_rect(areas, cell);
		box = rect_join(&box, &rect);
		for (uint32_t y = row > 0 ? row - 1 : 0; y <= MIN(row + 1, areas->rows - 1); y++) {
			for (uint32_t x = column > 0 ? column - 1 : 0;
				x <= MIN(column + 1, areas->columns - 1); x++)
				push_if_active(areas, y * areas->columns + x, &n);
		}
	}
	return box;
}

static struct rect grown(const struct video_areas *areas, const struct rect *rect, uint32_t by)
{
	uint32_t x = rect->x > by ? rect->x - by : 0, y = rect->y > by ? rect->y - by : 0;
	return (struct rect){ x, y, MIN(rect_right(rect) + by, areas->width) - x,
		MIN(rect_bottom(rect) + by, areas->height) - y };
}

static bool touches(const struct video_areas *areas, const struct rect *a, const struct rect *b)
{
	struct rect near = grown(areas, a, VIDEO_AREAS_CELL), shared;
	return rect_intersect(&near, b, &shared);
}

static bool is_large(const struct rect *rect)
{
	return rect->width >= VIDEO_AREAS_SIDE_MIN && rect->height >= VIDEO_AREAS_SIDE_MIN &&
	       rect_area(rect) >= VIDEO_AREAS_PIXELS_MIN;
}

static bool touches_live(const struct video_areas *areas, const struct rect *box)
{
	for (unsigned i = 0; i < areas->n_live; i++) {
		if (touches(areas, &areas->live[i].rect, box))
			return true;
	}
	return false;
}

/* Candidates. */

static void restart(struct prospect *candidate, const struct rect *box, int64_t now_us)
{
	unsigned growths = candidate->growths;
	*candidate = (struct prospect){
		.box = *box, .growths = growths, .first_us = now_us, .confirmed = true
	};
}

static void confirm(struct prospect *candidate, const struct rect *box, int64_t now_us)
{
	candidate->confirmed = true;
	if (rect_contains(&candidate->box, box) || candidate->growths >= GROWTHS_MAX)
		return;
	struct rect both = rect_join(&candidate->box, box);
	candidate->growths++;
	restart(candidate, &both, now_us);
}

static void propose(struct video_areas *areas, const struct rect *box, int64_t now_us)
{
	if (!is_large(box) && !touches_live(areas, box))
		return;
	for (unsigned i = 0; i < areas->n_candidates; i++) {
		if (touches(areas, &areas->candidates[i].box, box)) {
			confirm(&areas->candidates[i], box, now_us);
			return;
		}
	}
	if (areas->n_candidates == VIDEO_AREAS_MAX)
		return;
	struct prospect *candidate = &areas->candidates[areas->n_candidates++];
	candidate->growths = 0;
	restart(candidate, box, now_us);
}

static void find_candidates(struct video_areas *areas, int64_t now_us)
{
	uint32_t cells = areas->columns * areas->rows;
	memset(areas->seen, 0, cells);
	for (unsigned i = 0; i < areas->n_candidates; i++)
		areas->candidates[i].confirmed = false;
	for (uint32_t cell = 0; cell < cells; cell++) {
		if (!is_active(areas, cell))
			continue;
		areas->active_us[cell] = now_us;
		if (areas->seen[cell])
			continue;
		struct rect box = flood(areas, cell);
		propose(areas, &box, now_us);
	}
	unsigned kept = 0;
	for (unsigned i = 0; i < areas->n_candidates; i++) {
		if (areas->candidates[i].confirmed)
			areas->candidates[kept++] = areas->candidates[i];
	}
	areas->n_candidates = kept;
}

/* x of the 32 pixel columns at an edge; a narrow candidate's are the same. */
static uint32_t edge_x(const struct prospect *candidate, unsigned edge)
{
	return edge == 0 ? candidate->box.x :
			   (rect_right(&candidate->box) - 1) / VIDEO_AREAS_CELL * VIDEO_AREAS_CELL;
}

static uint32_t edge_width(const struct prospect *candidate, unsigned edge)
{
	return MIN(VIDEO_AREAS_CELL, rect_right(&candidate->box) - edge_x(candidate, edge));
}

static void look_at_edge(
	struct prospect *candidate, unsigned edge, const uint8_t *pixels, uint32_t stride_bytes)
{
	uint64_t hashes[VIDEO_AREAS_CELL] = { 0 };
	uint32_t width = edge_width(candidate, edge);
	for (uint32_t y = candidate->box.y; y < rect_bottom(&candidate->box); y++) {
		const uint32_t *row =
			(const uint32_t *)(const void *)(pixels + (size_t)y * stride_bytes) +
			edge_x(candidate, edge);
		for (uint32_t i = 0; i < width; i++)
			hashes[i] = (hashes[i] ^ row[i]) * MIX + y;
	}
	for (uint32_t i = 0; i < width; i++) {
		if (candidate->looks > 0 && hashes[i] != candidate->columns[edge][i])
			candidate->moved[edge][i] = true;
		candidate->columns[edge][i] = hashes[i];
	}
}

static bool look_at_rows(struct prospect *candidate, const struct strips *tiles)
{
	struct rect change = { 0 };
	for (uint32_t band = candidate->box.y / STRIPS_ROWS;
		band * STRIPS_ROWS < rect_bottom(&candidate->box) && band < tiles->bands; band++) {
		for (uint32_t column = candidate->box.x / STRIPS_STRIP;
			column * STRIPS_STRIP < rect_right(&candidate->box); column++) {
			const struct tile *tile =
				&tiles->changed[(size_t)band * tiles->columns + column];
			uint32_t x = column * STRIPS_STRIP;
			struct rect rect = { x, band * STRIPS_ROWS + tile->top,
				MIN(STRIPS_STRIP, tiles->width - x), tile->bottom - tile->top };
			if (rect.height > 0)
				change = change.height > 0 ? rect_join(&change, &rect) : rect;
		}
	}
	if (change.height == 0)
		return false;
	candidate->change =
		candidate->change.height > 0 ? rect_join(&candidate->change, &change) : change;
	return true;
}

/* Cuts off the pixel columns at both edges that never moved. */
static struct rect exact_rect(const struct prospect *candidate)
{
	struct rect rect = candidate->change;
	uint32_t left = rect.x, right = rect_right(&rect);
	if (left == candidate->box.x) {
		uint32_t i = 0;
		while (i < edge_width(candidate, 0) && !candidate->moved[0][i])
			i++;
		left += i < edge_width(candidate, 0) ? i : 0;
	}
	if (right == rect_right(&candidate->box)) {
		uint32_t n = edge_width(candidate, 1), i = n;
		while (i > 0 && !candidate->moved[1][i - 1])
			i--;
		right -= i > 0 ? n - i : 0;
	}
	if (left >= right)
		return rect;
	rect.x = left;
	rect.width = right - left;
	return rect;
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
 * Encoders that halve the colours' resolution want even sides. One more line, or, of all of an odd
 * head, one less: that one goes without loss.
 */
static void make_even(const struct video_areas *areas, struct rect *rect)
{
	make_side_even(areas->width, &rect->x, &rect->width);
	make_side_even(areas->height, &rect->y, &rect->height);
}

/* Regions. */

static void forget_cells(struct video_areas *areas, const struct rect *rect)
{
	for (uint32_t row = rect->y / VIDEO_AREAS_CELL; row * VIDEO_AREAS_CELL < rect_bottom(rect);
		row++) {
		for (uint32_t column = rect->x / VIDEO_AREAS_CELL;
			column * VIDEO_AREAS_CELL < rect_right(rect); column++)
			areas->slots[(size_t)row * areas->columns + column] = 0;
	}
}

static void remove_live(struct video_areas *areas, unsigned i)
{
	areas->live[i] = areas->live[--areas->n_live];
}

static bool should_join(const struct video_areas *areas, const struct rect *a, const struct rect *b)
{
	struct rect both = rect_join(a, b), shared;
	if (rect_intersect(a, b, &shared))
		return true;
	return touches(areas, a, b) &&
	       rect_area(&both) * 100 <= (rect_area(a) + rect_area(b)) * JOIN_PERCENT;
}

/* Those it overlaps become part of it; each may bring it to overlap the next. Its sides are even.
 */
static struct rect absorb(struct video_areas *areas, struct rect rect)
{
	make_even(areas, &rect);
	for (unsigned i = 0; i < areas->n_live;) {
		if (!should_join(areas, &areas->live[i].rect, &rect)) {
			i++;
			continue;
		}
		rect = rect_join(&areas->live[i].rect, &rect);
		make_even(areas, &rect);
		remove_live(areas, i);
		i = 0;
	}
	return rect;
}

static bool live_covers(const struct video_areas *areas, const struct rect *rect)
{
	for (unsigned i = 0; i < areas->n_live; i++) {
		if (rect_contains(&areas->live[i].rect, rect))
			return true;
	}
	return false;
}

static bool is_recent(const struct video_areas *areas, uint32_t cell, int64_t now_us)
{
	struct rect rect = cell_rect(areas, cell);
	return live_covers(areas, &rect) ||
	       now_us - areas->active_us[cell] <= VIDEO_AREAS_RECENT_US;
}

static struct rect with_recent(
	const struct video_areas *areas, const struct rect *rect, int64_t now_us)
{
	struct rect all = { 0, 0, areas->width, areas->height }, box = *rect;
	uint64_t moved = 0;
	for (uint32_t cell = 0; cell < areas->columns * areas->rows; cell++) {
		struct rect one = cell_rect(areas, cell);
		if (!is_recent(areas, cell, now_us))
			continue;
		moved += rect_area(&one);
		if (!touches(areas, rect, &one))
			box = rect_join(&box, &one);
	}
	if (moved * 100 < rect_area(&box) * VIDEO_AREAS_DEAR_PERCENT || rect_equal(&box, rect))
		return *rect;
	return rect_area(&box) * 100 >= rect_area(&all) * VIDEO_AREAS_RECENT_PERCENT ? all : box;
}

/* Its own edge, or that of a candidate elsewhere: a film of its own. */
static bool is_no_companion(
	const struct video_areas *areas, const struct rect *rect, const struct rect *cell)
{
	struct rect shared;
	if (rect_intersect(rect, cell, &shared))
		return true;
	for (unsigned i = 0; i < areas->n_candidates; i++) {
		const struct rect *box = &areas->candidates[i].box;
		if (rect_contains(box, cell) && is_large(box) &&
			!rect_intersect(box, rect, &shared))
			return true;
	}
	return false;
}

/* Active cells near it, and near those, that are in no region and no other candidate. */
static struct rect with_near(const struct video_areas *areas, const struct rect *rect)
{
	struct rect box = *rect, before;
	do {
		before = box;
		struct rect near = grown(areas, &box, VIDEO_AREAS_NEAR), shared;
		for (uint32_t cell = 0; cell < areas->columns * areas->rows; cell++) {
			struct rect one = cell_rect(areas, cell);
			if (is_active(areas, cell) && rect_intersect(&near, &one, &shared) &&
				!live_covers(areas, &one) && !is_no_companion(areas, rect, &one))
				box = rect_join(&box, &one);
		}
	} while (!rect_equal(&box, &before));
	return box;
}

/* Of a cell, outside the rectangle: pixels like their neighbour, and all. */
static void count_plain(const struct picture_rows *rows, const struct rect *cell,
	const struct rect *rect, uint64_t *equal, uint64_t *all)
{
	struct rect parts[4];
	unsigned n = rect_subtract(cell, rect, parts);
	for (unsigned i = 0; i < n; i++) {
		struct content content = content_look(rows->pixels, rows->stride_bytes, &parts[i]);
		*equal += rect_area(&parts[i]) * content.equal_percent;
		*all += rect_area(&parts[i]);
	}
}

/* What would be added and does not move is nothing that a film's compression blurs: areas of one
 * colour. */
static bool is_plain_around(const struct video_areas *areas, const struct picture_rows *rows,
	const struct rect *box, const struct rect *rect)
{
	struct rect shared;
	uint64_t equal = 0, all = 0;
	for (uint32_t cell = 0; cell < areas->columns * areas->rows; cell++) {
		struct rect one = cell_rect(areas, cell);
		bool edge = rect_intersect(&one, rect, &shared);
		if (rect_intersect(&one, box, &shared) && (edge || !is_active(areas, cell)))
			count_plain(rows, &shared, rect, &equal, &all);
	}
	return equal >= all * VIDEO_AREAS_PLAIN_PERCENT;
}

/*
 * Small things that move beside a film, such as a game's figures, would be seen sooner than the
 * film, since they are not video. They become part of it where that blurs nothing.
 */
static struct rect with_companions(
	const struct video_areas *areas, const struct picture_rows *rows, const struct rect *rect)
{
	struct rect box = with_near(areas, rect);
	bool worth = rect_area(&box) <= rect_area(rect) * VIDEO_AREAS_COMPANY_TIMES;
	return worth && is_plain_around(areas, rows, &box, rect) ? box : *rect;
}

static bool begin(struct video_areas *areas, const struct picture_rows *rows, struct rect rect,
	int64_t now_us, int64_t interval_us)
{
	rect = with_companions(areas, rows, &rect);
	if (areas->growth_is_dear)
		rect = with_recent(areas, &rect, now_us);
	rect = absorb(areas, rect);
	if (areas->n_live == VIDEO_AREAS_MAX || !is_large(&rect))
		return false;
	areas->live[areas->n_live++] = (struct video_area){
		.rect = rect,
		.last_change_us = now_us,
		.interval_us = interval_us,
	};
	forget_cells(areas, &rect);
	return true;
}

static bool wants_video(const struct prospect *candidate, int64_t now_us,
	const struct picture_rows *rows, uint64_t lossless_bps_max)
{
	struct content content = content_look(rows->pixels, rows->stride_bytes, &candidate->change);
	if (content_is_smooth(&content))
		return true;
	int64_t interval_us = MAX((now_us - candidate->first_us) / candidate->looks, 1);
	return content.lossless_bytes * 8 * US_PER_SECOND / (uint64_t)interval_us >
	       lossless_bps_max;
}

/* The lines at the border of an odd head would, with even sides, be what is a region already. */
static bool is_live(const struct video_areas *areas, struct rect rect)
{
	make_even(areas, &rect);
	return live_covers(areas, &rect);
}

/* It would not make a region beside it much larger. */
static bool belongs_to_live(const struct video_areas *areas, const struct rect *rect)
{
	for (unsigned i = 0; i < areas->n_live; i++) {
		const struct rect *live = &areas->live[i].rect;
		struct rect both = rect_join(live, rect);
		if (touches(areas, live, rect) &&
			rect_area(&both) * 100 <=
				rect_area(live) * (100 + VIDEO_AREAS_GROWTH_PERCENT))
			return true;
	}
	return false;
}

/* True when the candidate has become a region. */
static bool look_at(struct video_areas *areas, struct prospect *candidate, int64_t now_us,
	const struct strips *tiles, const struct picture_rows *rows, uint64_t lossless_bps_max)
{
	if (now_us < candidate->lossless_until_us || !look_at_rows(candidate, tiles))
		return false;
	for (unsigned edge = 0; edge < 2; edge++)
		look_at_edge(candidate, edge, rows->pixels, rows->stride_bytes);
	if (++candidate->looks < VIDEO_AREAS_LOOKS)
		return false;
	bool moves = belongs_to_live(areas, &candidate->change) ||
		     wants_video(candidate, now_us, rows, lossless_bps_max);
	if (moves && !is_live(areas, candidate->change))
		return begin(areas, rows, exact_rect(candidate), now_us,
			(now_us - candidate->first_us) / candidate->looks);
	restart(candidate, &candidate->box, now_us);
	candidate->lossless_until_us = now_us + VIDEO_AREAS_LOSSLESS_US;
	return false;
}

/* All that has been active of late, if it is most of the head. */
static bool find_recent(const struct video_areas *areas, int64_t now_us, struct rect *box)
{
	uint32_t cells = areas->columns * areas->rows, n = 0, n_outside = 0;
	for (uint32_t cell = 0; cell < cells; cell++) {
		struct rect rect = cell_rect(areas, cell);
		bool live = live_covers(areas, &rect);
		if (!live && !is_recent(areas, cell, now_us))
			continue;
		n_outside += !live;
		*box = n++ > 0 ? rect_join(box, &rect) : rect;
	}
	return n * 100 >= cells * VIDEO_AREAS_RECENT_PERCENT &&
	       n_outside * 100 >= cells * OUTSIDE_PERCENT;
}

static bool join_recent(struct video_areas *areas, const struct picture_rows *rows, int64_t now_us)
{
	struct rect box;
	if (areas->n_live == 0 || !find_recent(areas, now_us, &box))
		return false;
	if (is_live(areas, box))
		return false;
	for (unsigned i = 0; i < areas->n_live; i++)
		box = rect_join(&box, &areas->live[i].rect);
	return begin(areas, rows, box, now_us, areas->live[0].interval_us);
}

bool video_areas_form(struct video_areas *areas, int64_t now_us, const struct strips *tiles,
	const uint8_t *pixels, uint32_t stride_bytes, uint64_t lossless_bps_max)
{
	const struct picture_rows rows = { pixels, stride_bytes };
	bool begun = false;
	areas->growth_is_dear = lossless_bps_max < VIDEO_AREAS_GROWTH_DEAR_BPS;
	find_candidates(areas, now_us);
	for (unsigned i = 0; i < areas->n_candidates;) {
		if (!look_at(
			    areas, &areas->candidates[i], now_us, tiles, &rows, lossless_bps_max)) {
			i++;
			continue;
		}
		areas->candidates[i] = areas->candidates[--areas->n_candidates];
		begun = true;
	}
	if (join_recent(areas, &rows, now_us)) {
		areas->n_candidates = 0;
		begun = true;
	}
	return begun;
}

static uint64_t row_hash(
	const struct video_area *area, const uint8_t *pixels, uint32_t stride_bytes, uint32_t row)
{
	const uint8_t *at = pixels + (size_t)(area->rect.y + row) * stride_bytes +
			    (size_t)area->rect.x * BYTES_PER_PIXEL;
	return strips_hash(at, (size_t)area->rect.width * BYTES_PER_PIXEL);
}

static bool sample(struct video_area *area, const uint8_t *pixels, uint32_t stride_bytes)
{
	bool differs = false;
	for (unsigned i = 0; i < VIDEO_AREAS_SAMPLES; i++) {
		uint32_t row = (2 * i + 1) * area->rect.height / (2 * VIDEO_AREAS_SAMPLES);
		uint64_t value = row_hash(area, pixels, stride_bytes, row);
		differs |= value != area->samples[i];
		area->samples[i] = value;
	}
	return differs;
}

static bool compare_all(struct video_area *area, const uint8_t *pixels, uint32_t stride_bytes)
{
	uint64_t whole = 0;
	for (uint32_t row = 0; row < area->rect.height; row++)
		whole = (whole ^ row_hash(area, pixels, stride_bytes, row)) * MIX;
	bool differs = !area->known || whole != area->whole;
	area->whole = whole;
	area->known = true;
	return differs;
}

bool video_area_look(
	struct video_area *area, int64_t now_us, const uint8_t *pixels, uint32_t stride_bytes)
{
	if (sample(area, pixels, stride_bytes))
		area->known = false;
	else if (!compare_all(area, pixels, stride_bytes))
		return false;
	area->interval_us = (3 * area->interval_us + now_us - area->last_change_us) / 4;
	area->last_change_us = now_us;
	return true;
}

bool video_areas_end(struct video_areas *areas, int64_t now_us, struct rect *rect)
{
	for (unsigned i = 0; i < areas->n_live; i++) {
		const struct video_area *area = &areas->live[i];
		int64_t quiet_us = CLAMP(
			3 * area->interval_us, VIDEO_AREAS_QUIET_MIN_US, VIDEO_AREAS_QUIET_MAX_US);
		if (now_us - area->last_change_us < quiet_us)
			continue;
		*rect = area->rect;
		remove_live(areas, i);
		return true;
	}
	return false;
}
