/* SPDX-License-Identifier: MIT */
#include "display/painting/scroll.h"

#include <glib.h>
#include <string.h>

#include "common/rect.h"
#include "display/painting/strips.h"

/* This many columns vote, those with most changes. A distance needs VOTES_MIN votes. */
#define VOTERS 8u
#define VOTES_MIN 12u
/* This many rows are looked up together: strokes of letters are several equal rows high. */
#define KEY_ROWS 4u
/* A column, or a row, belongs to what has moved when this share of its strips fits, in percent. */
#define COLUMN_PERCENT 60u
#define ROW_PERCENT 80u
#define AMBIGUOUS UINT32_MAX

struct place {
	uint64_t hash;
	uint32_t row;
};

struct scroll_search {
	struct strips *strips;
	uint32_t first_column, end_column; /* with changes */
	uint32_t first_row, end_row;
	uint32_t *changes; /* by column: strips, roughly */
	uint32_t n_places; /* in use: a power of 2 */
	struct place *places;
	uint32_t *votes; /* by distance + height */
	int distance;    /* what is shown at row y was at y + distance */
};

static uint64_t shown(const struct strips *strips, uint32_t column, uint32_t row)
{
	return strips->shown[(size_t)row * strips->columns + column];
}

static uint64_t fresh(const struct strips *strips, uint32_t column, uint32_t row)
{
	return strips->fresh[(size_t)row * strips->columns + column];
}

/*
 * Mixes the hashes of a strip and of those below it. Returns STRIPS_UNKNOWN if one of them is not
 * known, or lies past the end.
 */
static uint64_t key(
	const struct scroll_search *search, const uint64_t *hashes, uint32_t column, uint32_t row)
{
	uint64_t mixed = 0;
	if (row + KEY_ROWS > search->end_row)
		return STRIPS_UNKNOWN;
	for (uint32_t i = row; i < row + KEY_ROWS; i++) {
		uint64_t hash = hashes[(size_t)i * search->strips->columns + column];
		if (hash == STRIPS_UNKNOWN)
			return STRIPS_UNKNOWN;
		mixed = (mixed ^ hash) * STRIPS_MIX;
	}
	return mixed ^ mixed >> 32;
}

static void bound(struct scroll_search *search)
{
	const struct strips *strips = search->strips;
	search->first_column = strips->columns;
	search->first_row = strips->height;
	for (uint32_t band = 0; band < strips->bands; band++) {
		if (!strips->band_changed[band])
			continue;
		for (uint32_t column = 0; column < strips->columns; column++) {
			const struct tile *tile =
				&strips->changed[(size_t)band * strips->columns + column];
			if (tile->bottom == 0)
				continue;
			search->changes[column] += tile->bottom - tile->top;
			search->first_column = MIN(search->first_column, column);
			search->end_column = MAX(search->end_column, column + 1);
			search->first_row = MIN(search->first_row, band * STRIPS_ROWS + tile->top);
			search->end_row = MAX(search->end_row, band * STRIPS_ROWS + tile->bottom);
		}
	}
}

static struct place *place_of(struct scroll_search *search, uint64_t hash)
{
	uint32_t i = (uint32_t)hash & (search->n_places - 1);
	while (search->places[i].hash != STRIPS_UNKNOWN && search->places[i].hash != hash)
		i = (i + 1) & (search->n_places - 1);
	return &search->places[i];
}

static void learn_column(struct scroll_search *search, uint32_t column)
{
	memset(search->places, 0, search->n_places * sizeof(*search->places));
	for (uint32_t row = search->first_row; row < search->end_row; row++) {
		uint64_t hash = key(search, search->strips->shown, column, row);
		if (hash == STRIPS_UNKNOWN)
			continue;
		struct place *place = place_of(search, hash);
		place->row = place->hash == hash ? AMBIGUOUS : row;
		place->hash = hash;
	}
}

static void ask_column(struct scroll_search *search, uint32_t column)
{
	learn_column(search, column);
	for (uint32_t row = search->first_row; row < search->end_row; row++) {
		uint64_t hash = key(search, search->strips->fresh, column, row);
		if (hash == STRIPS_UNKNOWN ||
			hash == key(search, search->strips->shown, column, row))
			continue;
		const struct place *place = place_of(search, hash);
		if (place->hash == hash && place->row != AMBIGUOUS && place->row != row)
			search->votes[place->row + search->strips->height - row]++;
	}
}

static uint32_t best_voter(const struct scroll_search *search)
{
	uint32_t best = search->first_column;
	for (uint32_t column = search->first_column; column < search->end_column; column++) {
		if (search->changes[column] > search->changes[best])
			best = column;
	}
	return best;
}

/* Sets the distance. It stays 0 when there are too few votes. */
static void vote(struct scroll_search *search)
{
	uint32_t best = 0;
	for (unsigned i = 0; i < VOTERS; i++) {
		uint32_t column = best_voter(search);
		if (search->changes[column] < SCROLL_ROWS_MIN / 2)
			break;
		search->changes[column] = 0;
		ask_column(search, column);
	}
	for (uint32_t i = 0; i < 2 * search->strips->height; i++) {
		if (search->votes[i] >= VOTES_MIN && search->votes[i] > search->votes[best])
			best = i;
	}
	search->distance =
		search->votes[best] >= VOTES_MIN ? (int)best - (int)search->strips->height : 0;
}

static bool fits(const struct scroll_search *search, uint32_t column, uint32_t row)
{
	int64_t from = (int64_t)row + search->distance;
	if (from < search->first_row || from >= search->end_row)
		return false;
	uint64_t hash = shown(search->strips, column, (uint32_t)from);
	return hash != STRIPS_UNKNOWN && hash == fresh(search->strips, column, row);
}

static bool column_fits(const struct scroll_search *search, uint32_t column)
{
	uint32_t n = search->end_row - search->first_row, fit = 0;
	uint32_t reachable = n - MIN(n, (uint32_t)ABS(search->distance));
	for (uint32_t row = search->first_row; row < search->end_row; row++)
		fit += fits(search, column, row);
	return fit * 100 >= reachable * COLUMN_PERCENT && fit > 0;
}

static bool row_fits(const struct scroll_search *search, uint32_t first, uint32_t end, uint32_t row)
{
	uint32_t fit = 0;
	for (uint32_t column = first; column < end; column++)
		fit += fits(search, column, row);
	return fit * 100 >= (end - first) * ROW_PERCENT;
}

/* Finds the longest run of columns that all fit. */
static void fitting_columns(const struct scroll_search *search, uint32_t *first, uint32_t *end)
{
	uint32_t run = 0;
	*first = *end = 0;
	for (uint32_t column = search->first_column; column < search->end_column; column++) {
		run = column_fits(search, column) ? run + 1 : 0;
		if (run <= *end - *first)
			continue;
		*end = column + 1;
		*first = *end - run;
	}
}

static struct rect try_out(const struct scroll_search *search)
{
	uint32_t first, end, best = 0, best_row = 0, run = 0;
	fitting_columns(search, &first, &end);
	for (uint32_t row = search->first_row; end > first && row < search->end_row; row++) {
		run = row_fits(search, first, end, row) ? run + 1 : 0;
		if (run <= best)
			continue;
		best = run;
		best_row = row + 1 - run;
	}
	uint32_t right = MIN(end * STRIPS_STRIP, search->strips->width);
	return (struct rect){ first * STRIPS_STRIP, best_row, right - first * STRIPS_STRIP, best };
}

/* Counts the strips that the scroll spares, less those that it spoils. */
static int64_t gain(const struct scroll_search *search, const struct rect *rect)
{
	int64_t strips = 0;
	for (uint32_t row = rect->y; row < rect_bottom(rect); row++) {
		for (uint32_t column = rect->x / STRIPS_STRIP;
			column * STRIPS_STRIP < rect_right(rect); column++) {
			uint64_t hash = fresh(search->strips, column, row);
			strips += hash != shown(search->strips, column, row);
			strips -= !fits(search, column, row);
		}
	}
	return strips;
}

static void move_row(struct strips *strips, const struct rect *rect, uint32_t row, uint32_t from)
{
	uint32_t first = rect->x / STRIPS_STRIP;
	uint32_t n = (rect_right(rect) + STRIPS_STRIP - 1) / STRIPS_STRIP - first;
	uint64_t *to = strips->shown + (size_t)row * strips->columns + first;
	memcpy(to, strips->shown + (size_t)from * strips->columns + first, n * sizeof(*to));
	for (uint32_t i = 0; i < n; i++) {
		if (to[i] == STRIPS_UNKNOWN ||
			to[i] != strips->fresh[(size_t)row * strips->columns + first + i])
			strips_mark(strips, first + i, row);
	}
}

static void apply(const struct scroll_search *search, const struct rect *rect)
{
	strips_clear(search->strips, rect);
	for (uint32_t i = 0; i < rect->height; i++) {
		uint32_t row = search->distance > 0 ? rect->y + i : rect_bottom(rect) - 1 - i;
		move_row(search->strips, rect, row, (uint32_t)((int)row + search->distance));
	}
}

static bool find(struct scroll_search *search, struct scroll *scroll)
{
	vote(search);
	if (search->distance == 0)
		return false;
	scroll->rect = try_out(search);
	if (scroll->rect.height < SCROLL_ROWS_MIN ||
		gain(search, &scroll->rect) < SCROLL_STRIPS_MIN)
		return false;
	scroll->from_y = (uint32_t)((int)scroll->rect.y + search->distance);
	apply(search, &scroll->rect);
	return true;
}

bool scroll_find(struct strips *strips, struct scroll *scroll)
{
	struct scroll_search search = { .strips = strips };
	if (strips->n_changed < SCROLL_STRIPS_MIN)
		return false;
	search.changes = g_new0(uint32_t, strips->columns);
	bound(&search);
	for (search.n_places = 64; search.n_places < 2 * (search.end_row - search.first_row);)
		search.n_places *= 2;
	search.places = g_new(struct place, search.n_places);
	search.votes = g_new0(uint32_t, 2 * (size_t)strips->height + 1);
	bool found = find(&search, scroll);
	g_free(search.changes);
	g_free(search.places);
	g_free(search.votes);
	return found;
}
