/* SPDX-License-Identifier: MIT */
#include "display/painting/prospects.h"

#include <glib.h>

#include "common/rect.h"
#include "display/painting/strips.h"

/* A prospect may grow this many times; after that it is taken as it is. */
#define GROWTHS_MAX 3

static void restart(struct prospect *prospect, const struct rect *box, int64_t now_us)
{
	unsigned growths = prospect->growths;
	*prospect = (struct prospect){
		.box = *box, .growths = growths, .first_us = now_us, .confirmed = true
	};
}

void prospect_rest(struct prospect *prospect, int64_t now_us, int64_t rest_until_us)
{
	struct rect box = prospect->box;
	restart(prospect, &box, now_us);
	prospect->rest_until_us = rest_until_us;
}

static void confirm(struct prospect *prospect, const struct rect *box, int64_t now_us)
{
	prospect->confirmed = true;
	if (rect_contains(&prospect->box, box) || prospect->growths >= GROWTHS_MAX)
		return;
	struct rect both = rect_join(&prospect->box, box);
	prospect->growths++;
	restart(prospect, &both, now_us);
}

void prospects_begin_round(struct prospects *prospects)
{
	for (unsigned i = 0; i < prospects->n; i++)
		prospects->list[i].confirmed = false;
}

void prospects_propose(struct prospects *prospects, const struct activity *activity,
	const struct rect *box, int64_t now_us)
{
	for (unsigned i = 0; i < prospects->n; i++) {
		if (activity_touch(activity, &prospects->list[i].box, box)) {
			confirm(&prospects->list[i], box, now_us);
			return;
		}
	}
	if (prospects->n == PROSPECTS_MAX)
		return;
	struct prospect *prospect = &prospects->list[prospects->n++];
	prospect->growths = 0;
	restart(prospect, box, now_us);
}

void prospects_end_round(struct prospects *prospects)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < prospects->n; i++) {
		if (prospects->list[i].confirmed)
			prospects->list[kept++] = prospects->list[i];
	}
	prospects->n = kept;
}

void prospects_remove(struct prospects *prospects, unsigned i)
{
	g_assert(i < prospects->n);
	prospects->list[i] = prospects->list[--prospects->n];
}

/*
 * Returns the x where an edge's pixel columns begin. Both edges of a narrow prospect are the same.
 */
static uint32_t edge_x(const struct prospect *prospect, unsigned edge)
{
	return edge == 0 ? prospect->box.x :
			   (rect_right(&prospect->box) - 1) / ACTIVITY_CELL * ACTIVITY_CELL;
}

static uint32_t edge_width(const struct prospect *prospect, unsigned edge)
{
	return MIN(ACTIVITY_CELL, rect_right(&prospect->box) - edge_x(prospect, edge));
}

static void look_at_edge(struct prospect *prospect, unsigned edge, const struct pixel_rows *pixels)
{
	uint64_t hashes[ACTIVITY_CELL] = { 0 };
	uint32_t width = edge_width(prospect, edge);
	for (uint32_t y = prospect->box.y; y < rect_bottom(&prospect->box); y++) {
		const uint8_t *at = pixels->bytes + (size_t)y * pixels->stride_bytes;
		const uint32_t *row = (const uint32_t *)(const void *)at + edge_x(prospect, edge);
		for (uint32_t i = 0; i < width; i++)
			hashes[i] = (hashes[i] ^ row[i]) * STRIPS_MIX + y;
	}
	for (uint32_t i = 0; i < width; i++) {
		if (prospect->looks > 0 && hashes[i] != prospect->columns[edge][i])
			prospect->moved[edge][i] = true;
		prospect->columns[edge][i] = hashes[i];
	}
}

static struct rect changed_rows(const struct strips *strips, uint32_t band, uint32_t column)
{
	const struct tile *tile = &strips->changed[(size_t)band * strips->columns + column];
	uint32_t x = column * STRIPS_STRIP;
	return (struct rect){ x, band * STRIPS_ROWS + tile->top,
		MIN(STRIPS_STRIP, strips->width - x), tile->bottom - tile->top };
}

static bool look_at_rows(struct prospect *prospect, const struct strips *strips)
{
	struct rect change = { 0 };
	for (uint32_t band = prospect->box.y / STRIPS_ROWS;
		band * STRIPS_ROWS < rect_bottom(&prospect->box) && band < strips->bands; band++) {
		for (uint32_t column = prospect->box.x / STRIPS_STRIP;
			column * STRIPS_STRIP < rect_right(&prospect->box); column++) {
			struct rect rect = changed_rows(strips, band, column);
			if (rect.height > 0)
				change = change.height > 0 ? rect_join(&change, &rect) : rect;
		}
	}
	if (change.height == 0)
		return false;
	prospect->change =
		prospect->change.height > 0 ? rect_join(&prospect->change, &change) : change;
	return true;
}

bool prospect_look(struct prospect *prospect, int64_t now_us, const struct strips *strips,
	const struct pixel_rows *pixels)
{
	if (now_us < prospect->rest_until_us || !look_at_rows(prospect, strips))
		return false;
	for (unsigned edge = 0; edge < 2; edge++)
		look_at_edge(prospect, edge, pixels);
	return ++prospect->looks >= PROSPECT_LOOKS;
}

/*
 * Counts the pixel columns at the left or the right edge that never moved. Returns 0 when all were
 * still.
 */
static uint32_t still_at_left(const struct prospect *prospect)
{
	uint32_t n = edge_width(prospect, 0), i = 0;
	while (i < n && !prospect->moved[0][i])
		i++;
	return i < n ? i : 0;
}

static uint32_t still_at_right(const struct prospect *prospect)
{
	uint32_t n = edge_width(prospect, 1), i = n;
	while (i > 0 && !prospect->moved[1][i - 1])
		i--;
	return i > 0 ? n - i : 0;
}

struct rect prospect_rect(const struct prospect *prospect)
{
	struct rect rect = prospect->change;
	uint32_t left = rect.x, right = rect_right(&rect);
	if (left == prospect->box.x)
		left += still_at_left(prospect);
	if (right == rect_right(&prospect->box))
		right -= still_at_right(prospect);
	if (left >= right)
		return rect;
	rect.x = left;
	rect.width = right - left;
	return rect;
}

int64_t prospect_interval_us(const struct prospect *prospect, int64_t now_us)
{
	g_assert(prospect->looks > 0);
	return (now_us - prospect->first_us) / prospect->looks;
}
