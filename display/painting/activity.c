/* SPDX-License-Identifier: MIT */
#include "display/painting/activity.h"

#include <glib.h>
#include <string.h>

#include "common/rect.h"
#include "display/painting/strips.h"

G_STATIC_ASSERT(ACTIVITY_CELL == STRIPS_STRIP && ACTIVITY_CELL % STRIPS_ROWS == 0);
G_STATIC_ASSERT(ACTIVITY_SLOTS <= 8);

void activity_init(struct activity *activity, uint32_t width, uint32_t height)
{
	g_assert(width > 0 && height > 0);
	*activity = (struct activity){
		.width = width,
		.height = height,
		.columns = (width + ACTIVITY_CELL - 1) / ACTIVITY_CELL,
		.rows = (height + ACTIVITY_CELL - 1) / ACTIVITY_CELL,
	};
	size_t cells = activity_cells(activity);
	activity->slots = g_new0(uint8_t, cells);
	activity->active_us = g_new(int64_t, cells);
	for (size_t i = 0; i < cells; i++)
		activity->active_us[i] = INT64_MIN / 2;
	activity->seen = g_new0(uint8_t, cells);
	activity->stack = g_new(uint32_t, cells);
}

void activity_finish(struct activity *activity)
{
	g_free(activity->slots);
	g_free(activity->active_us);
	g_free(activity->seen);
	g_free(activity->stack);
}

static void pass_time(struct activity *activity, int64_t now_us)
{
	int64_t slot = now_us / ACTIVITY_SLOT_US, passed = slot - activity->slot;
	uint32_t cells = activity_cells(activity);
	if (passed == 0)
		return;
	activity->slot = slot;
	if (passed < 0 || passed >= ACTIVITY_SLOTS) {
		memset(activity->slots, 0, cells);
		return;
	}
	for (uint32_t i = 0; i < cells; i++)
		activity->slots[i] = (uint8_t)(activity->slots[i] << passed);
}

void activity_note(struct activity *activity, int64_t now_us, const struct strips *strips)
{
	g_assert(strips->width == activity->width && strips->height == activity->height);
	pass_time(activity, now_us);
	for (uint32_t band = 0; band < strips->bands; band++) {
		if (!strips->band_changed[band])
			continue;
		const struct tile *changed = strips->changed + (size_t)band * strips->columns;
		uint8_t *slots = activity->slots +
				 (size_t)(band * STRIPS_ROWS / ACTIVITY_CELL) * activity->columns;
		for (uint32_t column = 0; column < strips->columns; column++) {
			if (changed[column].bottom > 0)
				slots[column] |= 1;
		}
	}
}

void activity_forget(struct activity *activity, const struct rect *rect)
{
	for (uint32_t row = rect->y / ACTIVITY_CELL; row * ACTIVITY_CELL < rect_bottom(rect);
		row++) {
		for (uint32_t column = rect->x / ACTIVITY_CELL;
			column * ACTIVITY_CELL < rect_right(rect); column++)
			activity->slots[(size_t)row * activity->columns + column] = 0;
	}
}

struct rect activity_cell_rect(const struct activity *activity, uint32_t cell)
{
	uint32_t x = cell % activity->columns * ACTIVITY_CELL,
		 y = cell / activity->columns * ACTIVITY_CELL;
	return (struct rect){ x, y, MIN(ACTIVITY_CELL, activity->width - x),
		MIN(ACTIVITY_CELL, activity->height - y) };
}

bool activity_is_active(const struct activity *activity, uint32_t cell)
{
	return __builtin_popcount(activity->slots[cell]) >= ACTIVITY_SLOTS_ACTIVE;
}

bool activity_is_recent(const struct activity *activity, uint32_t cell, int64_t now_us)
{
	return now_us - activity->active_us[cell] <= ACTIVITY_RECENT_US;
}

static void push_if_active(struct activity *activity, uint32_t cell, uint32_t *n)
{
	if (activity->seen[cell] || !activity_is_active(activity, cell))
		return;
	activity->seen[cell] = 1;
	activity->stack[(*n)++] = cell;
}

static void push_neighbours(struct activity *activity, uint32_t cell, uint32_t *n)
{
	uint32_t column = cell % activity->columns, row = cell / activity->columns;
	uint32_t last_row = MIN(row + 1, activity->rows - 1);
	uint32_t last_column = MIN(column + 1, activity->columns - 1);
	for (uint32_t y = row > 0 ? row - 1 : 0; y <= last_row; y++) {
		for (uint32_t x = column > 0 ? column - 1 : 0; x <= last_column; x++)
			push_if_active(activity, y * activity->columns + x, n);
	}
}

/* Returns the rectangle around all active cells that hang together with `first`. */
static struct rect flood(struct activity *activity, uint32_t first)
{
	struct rect box = activity_cell_rect(activity, first);
	uint32_t n = 0;
	push_if_active(activity, first, &n);
	while (n > 0) {
		uint32_t cell = activity->stack[--n];
		struct rect rect = activity_cell_rect(activity, cell);
		box = rect_join(&box, &rect);
		push_neighbours(activity, cell, &n);
	}
	return box;
}

void activity_search(struct activity *activity)
{
	memset(activity->seen, 0, activity_cells(activity));
	activity->next_cell = 0;
}

bool activity_next_group(struct activity *activity, int64_t now_us, struct rect *box)
{
	while (activity->next_cell < activity_cells(activity)) {
		uint32_t cell = activity->next_cell++;
		if (!activity_is_active(activity, cell))
			continue;
		activity->active_us[cell] = now_us;
		if (activity->seen[cell])
			continue;
		*box = flood(activity, cell);
		return true;
	}
	return false;
}

struct rect activity_widen(const struct activity *activity, const struct rect *rect, uint32_t by)
{
	uint32_t x = rect->x > by ? rect->x - by : 0, y = rect->y > by ? rect->y - by : 0;
	return (struct rect){ x, y, MIN(rect_right(rect) + by, activity->width) - x,
		MIN(rect_bottom(rect) + by, activity->height) - y };
}

bool activity_touch(const struct activity *activity, const struct rect *a, const struct rect *b)
{
	struct rect near = activity_widen(activity, a, ACTIVITY_CELL), shared;
	return rect_intersect(&near, b, &shared);
}
