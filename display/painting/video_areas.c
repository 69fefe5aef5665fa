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

struct candidate {
	struct frame_rect box;    /* whole cells */
	struct frame_rect change; /* what of it was seen to change, rows exactly */
	uint64_t columns[2]
			[REGIONS_CELL]; /* hashes of the pixel columns at its left and right edge */
	bool moved[2][REGIONS_CELL];
	unsigned looks, growths;
	int64_t first_us;
	int64_t lossless_until_us;
	bool confirmed; /* still active in this round */
};

struct regions *regions_create(uint32_t width, uint32_t height)
{
	struct regions *regions = g_new0(struct regions, 1);
	regions->width = width;
	regions->height = height;
	regions->columns = (width + REGIONS_CELL - 1) / REGIONS_CELL;
	regions->rows = (height + REGIONS_CELL - 1) / REGIONS_CELL;
	size_t cells = (size_t)regions->columns * regions->rows;
	regions->slots = g_new0(uint8_t, cells);
	regions->active_us = g_new(int64_t, cells);
	for (size_t i = 0; i < cells; i++)
		regions->active_us[i] = INT64_MIN / 2;
	regions->seen = g_new0(uint8_t, cells);
	regions->stack = g_new(uint32_t, cells);
	regions->candidates = g_new0(struct candidate, REGIONS_MAX);
	return regions;
}

void regions_destroy(struct regions *regions)
{
	if (!regions)
		return;
	g_free(regions->slots);
	g_free(regions->active_us);
	g_free(regions->seen);
	g_free(regions->stack);
	g_free(regions->candidates);
	g_free(regions);
}

/* Cells. */

static void pass_time(struct regions *regions, int64_t now_us)
{
	int64_t slot = now_us / REGIONS_SLOT_US, passed = slot - regions->slot;
	size_t cells = (size_t)regions->columns * regions->rows;
	if (passed == 0)
		return;
	regions->slot = slot;
	if (passed < 0 || passed >= REGIONS_SLOTS) {
		memset(regions->slots, 0, cells);
		return;
	}
	for (size_t i = 0; i < cells; i++)
		regions->slots[i] = (uint8_t)(regions->slots[i] << passed);
}

void regions_note(struct regions *regions, int64_t now_us, const struct tiles *tiles)
{
	pass_time(regions, now_us);
	for (uint32_t band = 0; band < tiles->bands; band++) {
		if (!tiles->band_changed[band])
			continue;
		const struct tile *changed = tiles->changed + (size_t)band * tiles->columns;
		uint8_t *slots = regions->slots +
				 (size_t)(band * TILES_ROWS / REGIONS_CELL) * regions->columns;
		for (uint32_t column = 0; column < tiles->columns; column++) {
			if (changed[column].bottom > 0)
				slots[column] |= 1;
		}
	}
}

static bool is_active(const struct regions *regions, uint32_t cell)
{
	return __builtin_popcount(regions->slots[cell]) >= REGIONS_SLOTS_ACTIVE;
}

static struct frame_rect cell_rect(const struct regions *regions, uint32_t cell)
{
	uint32_t x = cell % regions->columns * REGIONS_CELL,
		 y = cell / regions->columns * REGIONS_CELL;
	return (struct frame_rect){ x, y, MIN(REGIONS_CELL, regions->width - x),
		MIN(REGIONS_CELL, regions->height - y) };
}

static void push_if_active(struct regions *regions, uint32_t cell, uint32_t *n)
{
	if (regions->seen[cell] || !is_active(regions, cell))
		return;
	regions->seen[cell] = 1;
	regions->stack[(*n)++] = cell;
}

/* Everything active that hangs together with `first`. */
static struct frame_rect flood(struct regions *regions, uint32_t first)
{
	struct frame_rect box = cell_rect(regions, first);
	uint32_t n = 0;
	push_if_active(regions, first, &n);
	while (n > 0) {
		uint32_t cell = regions->stack[--n];
		uint32_t column = cell % regions->columns, row = cell / regions->columns;
		struct frame_rect rect = cell_rect(regions, cell);
		box = rect_join(&box, &rect);
		for (uint32_t y = row > 0 ? row - 1 : 0; y <= MIN(row + 1, regions->rows - 1);
			y++) {
			for (uint32_t x = column > 0 ? column - 1 : 0;
				x <= MIN(column + 1, regions->columns - 1); x++)
				push_if_active(regions, y * regions->columns + x, &n);
		}
	}
	return box;
}

static struct frame_rect grown(
	const struct regions *regions, const struct frame_rect *rect, uint32_t by)
{
	uint32_t x = rect->x > by ? rect->x - by : 0, y = rect->y > by ? rect->y - by : 0;
	return (struct frame_rect){ x, y, MIN(rect_right(rect) + by, regions->width) - x,
		MIN(rect_bottom(rect) + by, regions->height) - y };
}

static bool touches(
	const struct regions *regions, const struct frame_rect *a, const struct frame_rect *b)
{
	struct frame_rect near = grown(regions, a, REGIONS_CELL), shared;
	return rect_intersect(&near, b, &shared);
}

static bool is_large(const struct frame_rect *rect)
{
	return rect->width >= REGIONS_SIDE_MIN && rect->height >= REGIONS_SIDE_MIN &&
	       rect_area(rect) >= REGIONS_PIXELS_MIN;
}

static bool touches_live(const struct regions *regions, const struct frame_rect *box)
{
	for (unsigned i = 0; i < regions->n_live; i++) {
		if (touches(regions, &regions->live[i].rect, box))
			return true;
	}
	return false;
}

/* Candidates. */

static void restart(struct candidate *candidate, const struct frame_rect *box, int64_t now_us)
{
	unsigned growths = candidate->growths;
	*candidate = (struct candidate){
		.box = *box, .growths = growths, .first_us = now_us, .confirmed = true
	};
}

static void confirm(struct candidate *candidate, const struct frame_rect *box, int64_t now_us)
{
	candidate->confirmed = true;
	if (rect_contains(&candidate->box, box) || candidate->growths >= GROWTHS_MAX)
		return;
	struct frame_rect both = rect_join(&candidate->box, box);
	candidate->growths++;
	restart(candidate, &both, now_us);
}

static void propose(struct regions *regions, const struct frame_rect *box, int64_t now_us)
{
	if (!is_large(box) && !touches_live(regions, box))
		return;
	for (unsigned i = 0; i < regions->n_candidates; i++) {
		if (touches(regions, &regions->candidates[i].box, box)) {
			confirm(&regions->candidates[i], box, now_us);
			return;
		}
	}
	if (regions->n_candidates == REGIONS_MAX)
		return;
	struct candidate *candidate = &regions->candidates[regions->n_candidates++];
	candidate->growths = 0;
	restart(candidate, box, now_us);
}

static void find_candidates(struct regions *regions, int64_t now_us)
{
	uint32_t cells = regions->columns * regions->rows;
	memset(regions->seen, 0, cells);
	for (unsigned i = 0; i < regions->n_candidates; i++)
		regions->candidates[i].confirmed = false;
	for (uint32_t cell = 0; cell < cells; cell++) {
		if (!is_active(regions, cell))
			continue;
		regions->active_us[cell] = now_us;
		if (regions->seen[cell])
			continue;
		struct frame_rect box = flood(regions, cell);
		propose(regions, &box, now_us);
	}
	unsigned kept = 0;
	for (unsigned i = 0; i < regions->n_candidates; i++) {
		if (regions->candidates[i].confirmed)
			regions->candidates[kept++] = regions->candidates[i];
	}
	regions->n_candidates = kept;
}

/* x of the 32 pixel columns at an edge; a narrow candidate's are the same. */
static uint32_t edge_x(const struct candidate *candidate, unsigned edge)
{
	return edge == 0 ? candidate->box.x :
			   (rect_right(&candidate->box) - 1) / REGIONS_CELL * REGIONS_CELL;
}

static uint32_t edge_width(const struct candidate *candidate, unsigned edge)
{
	return MIN(REGIONS_CELL, rect_right(&candidate->box) - edge_x(candidate, edge));
}

static void look_at_edge(
	struct candidate *candidate, unsigned edge, const uint8_t *pixels, uint32_t stride_bytes)
{
	uint64_t hashes[REGIONS_CELL] = { 0 };
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

static bool look_at_rows(struct candidate *candidate, const struct tiles *tiles)
{
	struct frame_rect change = { 0 };
	for (uint32_t band = candidate->box.y / TILES_ROWS;
		band * TILES_ROWS < rect_bottom(&candidate->box) && band < tiles->bands; band++) {
		for (uint32_t column = candidate->box.x / TILES_STRIP;
			column * TILES_STRIP < rect_right(&candidate->box); column++) {
			const struct tile *tile =
				&tiles->changed[(size_t)band * tiles->columns + column];
			uint32_t x = column * TILES_STRIP;
			struct frame_rect rect = { x, band * TILES_ROWS + tile->top,
				MIN(TILES_STRIP, tiles->width - x), tile->bottom - tile->top };
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
static struct frame_rect exact_rect(const struct candidate *candidate)
{
	struct frame_rect rect = candidate->change;
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
static void make_even(const struct regions *regions, struct frame_rect *rect)
{
	make_side_even(regions->width, &rect->x, &rect->width);
	make_side_even(regions->height, &rect->y, &rect->height);
}

/* Regions. */

static void forget_cells(struct regions *regions, const struct frame_rect *rect)
{
	for (uint32_t row = rect->y / REGIONS_CELL; row * REGIONS_CELL < rect_bottom(rect); row++) {
		for (uint32_t column = rect->x / REGIONS_CELL;
			column * REGIONS_CELL < rect_right(rect); column++)
			regions->slots[(size_t)row * regions->columns + column] = 0;
	}
}

static void remove_live(struct regions *regions, unsigned i)
{
	regions->live[i] = regions->live[--regions->n_live];
}

static bool should_join(
	const struct regions *regions, const struct frame_rect *a, const struct frame_rect *b)
{
	struct frame_rect both = rect_join(a, b), shared;
	if (rect_intersect(a, b, &shared))
		return true;
	return touches(regions, a, b) &&
	       rect_area(&both) * 100 <= (rect_area(a) + rect_area(b)) * JOIN_PERCENT;
}

/* Those it overlaps become part of it; each may bring it to overlap the next. Its sides are even.
 */
static struct frame_rect absorb(struct regions *regions, struct frame_rect rect)
{
	make_even(regions, &rect);
	for (unsigned i = 0; i < regions->n_live;) {
		if (!should_join(regions, &regions->live[i].rect, &rect)) {
			i++;
			continue;
		}
		rect = rect_join(&regions->live[i].rect, &rect);
		make_even(regions, &rect);
		remove_live(regions, i);
		i = 0;
	}
	return rect;
}

static bool live_covers(const struct regions *regions, const struct frame_rect *rect)
{
	for (unsigned i = 0; i < regions->n_live; i++) {
		if (rect_contains(&regions->live[i].rect, rect))
			return true;
	}
	return false;
}

static bool is_recent(const struct regions *regions, uint32_t cell, int64_t now_us)
{
	struct frame_rect rect = cell_rect(regions, cell);
	return live_covers(regions, &rect) ||
	       now_us - regions->active_us[cell] <= REGIONS_RECENT_US;
}

static struct frame_rect with_recent(
	const struct regions *regions, const struct frame_rect *rect, int64_t now_us)
{
	struct frame_rect all = { 0, 0, regions->width, regions->height }, box = *rect;
	uint64_t moved = 0;
	for (uint32_t cell = 0; cell < regions->columns * regions->rows; cell++) {
		struct frame_rect one = cell_rect(regions, cell);
		if (!is_recent(regions, cell, now_us))
			continue;
		moved += rect_area(&one);
		if (!touches(regions, rect, &one))
			box = rect_join(&box, &one);
	}
	if (moved * 100 < rect_area(&box) * REGIONS_DEAR_PERCENT || rect_equal(&box, rect))
		return *rect;
	return rect_area(&box) * 100 >= rect_area(&all) * REGIONS_RECENT_PERCENT ? all : box;
}

/* Its own edge, or that of a candidate elsewhere: a film of its own. */
static bool is_no_companion(
	const struct regions *regions, const struct frame_rect *rect, const struct frame_rect *cell)
{
	struct frame_rect shared;
	if (rect_intersect(rect, cell, &shared))
		return true;
	for (unsigned i = 0; i < regions->n_candidates; i++) {
		const struct frame_rect *box = &regions->candidates[i].box;
		if (rect_contains(box, cell) && is_large(box) &&
			!rect_intersect(box, rect, &shared))
			return true;
	}
	return false;
}

/* Active cells near it, and near those, that are in no region and no other candidate. */
static struct frame_rect with_near(const struct regions *regions, const struct frame_rect *rect)
{
	struct frame_rect box = *rect, before;
	do {
		before = box;
		struct frame_rect near = grown(regions, &box, REGIONS_NEAR), shared;
		for (uint32_t cell = 0; cell < regions->columns * regions->rows; cell++) {
			struct frame_rect one = cell_rect(regions, cell);
			if (is_active(regions, cell) && rect_intersect(&near, &one, &shared) &&
				!live_covers(regions, &one) &&
				!is_no_companion(regions, rect, &one))
				box = rect_join(&box, &one);
		}
	} while (!rect_equal(&box, &before));
	return box;
}

/* Of a cell, outside the rectangle: pixels like their neighbour, and all. */
static void count_plain(const struct picture_rows *rows, const struct frame_rect *cell,
	const struct frame_rect *rect, uint64_t *equal, uint64_t *all)
{
	struct frame_rect parts[4];
	unsigned n = rect_subtract(cell, rect, parts);
	for (unsigned i = 0; i < n; i++) {
		struct content content = content_look(rows->pixels, rows->stride_bytes, &parts[i]);
		*equal += rect_area(&parts[i]) * content.equal_percent;
		*all += rect_area(&parts[i]);
	}
}

/* What would be added and does not move is nothing that a film's compression blurs: areas of one
 * colour. */
static bool is_plain_around(const struct regions *regions, const struct picture_rows *rows,
	const struct frame_rect *box, const struct frame_rect *rect)
{
	struct frame_rect shared;
	uint64_t equal = 0, all = 0;
	for (uint32_t cell = 0; cell < regions->columns * regions->rows; cell++) {
		struct frame_rect one = cell_rect(regions, cell);
		bool edge = rect_intersect(&one, rect, &shared);
		if (rect_intersect(&one, box, &shared) && (edge || !is_active(regions, cell)))
			count_plain(rows, &shared, rect, &equal, &all);
	}
	return equal >= all * REGIONS_PLAIN_PERCENT;
}

/*
 * Small things that move beside a film, such as a game's figures, would be seen sooner than the
 * film, since they are not video. They become part of it where that blurs nothing.
 */
static struct frame_rect with_companions(const struct regions *regions,
	const struct picture_rows *rows, const struct frame_rect *rect)
{
	struct frame_rect box = with_near(regions, rect);
	bool worth = rect_area(&box) <= rect_area(rect) * REGIONS_COMPANY_TIMES;
	return worth && is_plain_around(regions, rows, &box, rect) ? box : *rect;
}

static bool begin(struct regions *regions, const struct picture_rows *rows, struct frame_rect rect,
	int64_t now_us, int64_t interval_us)
{
	rect = with_companions(regions, rows, &rect);
	if (regions->growth_is_dear)
		rect = with_recent(regions, &rect, now_us);
	rect = absorb(regions, rect);
	if (regions->n_live == REGIONS_MAX || !is_large(&rect))
		return false;
	regions->live[regions->n_live++] = (struct region){
		.rect = rect,
		.last_change_us = now_us,
		.interval_us = interval_us,
	};
	forget_cells(regions, &rect);
	return true;
}

static bool wants_video(const struct candidate *candidate, int64_t now_us,
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
static bool is_live(const struct regions *regions, struct frame_rect rect)
{
	make_even(regions, &rect);
	return live_covers(regions, &rect);
}

/* It would not make a region beside it much larger. */
static bool belongs_to_live(const struct regions *regions, const struct frame_rect *rect)
{
	for (unsigned i = 0; i < regions->n_live; i++) {
		const struct frame_rect *live = &regions->live[i].rect;
		struct frame_rect both = rect_join(live, rect);
		if (touches(regions, live, rect) &&
			rect_area(&both) * 100 <= rect_area(live) * (100 + REGIONS_GROWTH_PERCENT))
			return true;
	}
	return false;
}

/* True when the candidate has become a region. */
static bool look_at(struct regions *regions, struct candidate *candidate, int64_t now_us,
	const struct tiles *tiles, const struct picture_rows *rows, uint64_t lossless_bps_max)
{
	if (now_us < candidate->lossless_until_us || !look_at_rows(candidate, tiles))
		return false;
	for (unsigned edge = 0; edge < 2; edge++)
		look_at_edge(candidate, edge, rows->pixels, rows->stride_bytes);
	if (++candidate->looks < REGIONS_LOOKS)
		return false;
	bool moves = belongs_to_live(regions, &candidate->change) ||
		     wants_video(candidate, now_us, rows, lossless_bps_max);
	if (moves && !is_live(regions, candidate->change))
		return begin(regions, rows, exact_rect(candidate), now_us,
			(now_us - candidate->first_us) / candidate->looks);
	restart(candidate, &candidate->box, now_us);
	candidate->lossless_until_us = now_us + REGIONS_LOSSLESS_US;
	return false;
}

/* All that has been active of late, if it is most of the head. */
static bool find_recent(const struct regions *regions, int64_t now_us, struct frame_rect *box)
{
	uint32_t cells = regions->columns * regions->rows, n = 0, n_outside = 0;
	for (uint32_t cell = 0; cell < cells; cell++) {
		struct frame_rect rect = cell_rect(regions, cell);
		bool live = live_covers(regions, &rect);
		if (!live && !is_recent(regions, cell, now_us))
			continue;
		n_outside += !live;
		*box = n++ > 0 ? rect_join(box, &rect) : rect;
	}
	return n * 100 >= cells * REGIONS_RECENT_PERCENT &&
	       n_outside * 100 >= cells * OUTSIDE_PERCENT;
}

static bool join_recent(struct regions *regions, const struct picture_rows *rows, int64_t now_us)
{
	struct frame_rect box;
	if (regions->n_live == 0 || !find_recent(regions, now_us, &box))
		return false;
	if (is_live(regions, box))
		return false;
	for (unsigned i = 0; i < regions->n_live; i++)
		box = rect_join(&box, &regions->live[i].rect);
	return begin(regions, rows, box, now_us, regions->live[0].interval_us);
}

bool regions_form(struct regions *regions, int64_t now_us, const struct tiles *tiles,
	const uint8_t *pixels, uint32_t stride_bytes, uint64_t lossless_bps_max)
{
	const struct picture_rows rows = { pixels, stride_bytes };
	bool begun = false;
	regions->growth_is_dear = lossless_bps_max < REGIONS_GROWTH_DEAR_BPS;
	find_candidates(regions, now_us);
	for (unsigned i = 0; i < regions->n_candidates;) {
		if (!look_at(regions, &regions->candidates[i], now_us, tiles, &rows,
			    lossless_bps_max)) {
			i++;
			continue;
		}
		regions->candidates[i] = regions->candidates[--regions->n_candidates];
		begun = true;
	}
	if (join_recent(regions, &rows, now_us)) {
		regions->n_candidates = 0;
		begun = true;
	}
	return begun;
}

static uint64_t row_hash(
	const struct region *region, const uint8_t *pixels, uint32_t stride_bytes, uint32_t row)
{
	const uint8_t *at = pixels + (size_t)(region->rect.y + row) * stride_bytes +
			    (size_t)region->rect.x * BYTES_PER_PIXEL;
	return tiles_hash(at, (size_t)region->rect.width * BYTES_PER_PIXEL);
}

static bool sample(struct region *region, const uint8_t *pixels, uint32_t stride_bytes)
{
	bool differs = false;
	for (unsigned i = 0; i < REGIONS_SAMPLES; i++) {
		uint32_t row = (2 * i + 1) * region->rect.height / (2 * REGIONS_SAMPLES);
		uint64_t value = row_hash(region, pixels, stride_bytes, row);
		differs |= value != region->samples[i];
		region->samples[i] = value;
	}
	return differs;
}

static bool compare_all(struct region *region, const uint8_t *pixels, uint32_t stride_bytes)
{
	uint64_t whole = 0;
	for (uint32_t row = 0; row < region->rect.height; row++)
		whole = (whole ^ row_hash(region, pixels, stride_bytes, row)) * MIX;
	bool differs = !region->known || whole != region->whole;
	region->whole = whole;
	region->known = true;
	return differs;
}

bool region_look(
	struct region *region, int64_t now_us, const uint8_t *pixels, uint32_t stride_bytes)
{
	if (sample(region, pixels, stride_bytes))
		region->known = false;
	else if (!compare_all(region, pixels, stride_bytes))
		return false;
	region->interval_us = (3 * region->interval_us + now_us - region->last_change_us) / 4;
	region->last_change_us = now_us;
	return true;
}

bool regions_end(struct regions *regions, int64_t now_us, struct frame_rect *rect)
{
	for (unsigned i = 0; i < regions->n_live; i++) {
		const struct region *region = &regions->live[i];
		int64_t quiet_us =
			CLAMP(3 * region->interval_us, REGIONS_QUIET_MIN_US, REGIONS_QUIET_MAX_US);
		if (now_us - region->last_change_us < quiet_us)
			continue;
		*rect = region->rect;
		remove_live(regions, i);
		return true;
	}
	return false;
}
