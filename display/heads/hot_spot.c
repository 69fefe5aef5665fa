/* SPDX-License-Identifier: MIT */
#include "display/heads/hot_spot.h"

#include <glib.h>

static uint64_t hash_pixels(const uint32_t *pixels)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	for (unsigned i = 0; i < FRAME_CURSOR_SIZE * FRAME_CURSOR_SIZE; i++)
		hash = (hash ^ pixels[i]) * UINT64_C(1099511628211);
	return hash;
}

static void measure(struct hot_spot_shape *shape, const uint32_t *pixels)
{
	shape->left = shape->top = FRAME_CURSOR_SIZE;
	for (uint32_t i = 0; i < FRAME_CURSOR_SIZE * FRAME_CURSOR_SIZE; i++) {
		uint32_t x = i % FRAME_CURSOR_SIZE, y = i / FRAME_CURSOR_SIZE;
		if (pixels[i] >> 24 == 0)
			continue;
		shape->left = MIN(shape->left, x);
		shape->top = MIN(shape->top, y);
		shape->right = MAX(shape->right, x + 1);
		shape->bottom = MAX(shape->bottom, y + 1);
	}
}

static struct hot_spot_shape *find(struct hot_spot *spot, const uint32_t *pixels)
{
	uint64_t hash = hash_pixels(pixels);
	struct hot_spot_shape *oldest = &spot->shapes[0];
	for (unsigned i = 0; i < HOT_SPOT_SHAPES; i++) {
		struct hot_spot_shape *shape = &spot->shapes[i];
		if (shape->last_shown > 0 && shape->hash == hash)
			return shape;
		if (shape->last_shown < oldest->last_shown)
			oldest = shape;
	}
	*oldest = (struct hot_spot_shape){ .hash = hash };
	measure(oldest, pixels);
	return oldest;
}

void hot_spot_show(struct hot_spot *spot, const uint32_t *pixels, uint32_t *x, uint32_t *y)
{
	spot->shown = NULL;
	if (*x > 0 || *y > 0)
		return;
	spot->shown = find(spot, pixels);
	spot->shown->last_shown = ++spot->n_shown;
	if (!spot->shown->known)
		return;
	*x = spot->shown->x;
	*y = spot->shown->y;
}

static bool is_drawn(const struct hot_spot_shape *shape, int64_t x, int64_t y)
{
	return x >= shape->left && x < shape->right && y >= shape->top && y < shape->bottom;
}

static bool believe(struct hot_spot_shape *shape, uint32_t x, uint32_t y)
{
	bool same = shape->x == x && shape->y == y;
	bool again = shape->doubted && shape->other_x == x && shape->other_y == y;
	if (shape->known && same) {
		shape->doubted = false;
		return false;
	}
	if (shape->known && !again) {
		shape->doubted = true;
		shape->other_x = x;
		shape->other_y = y;
		return false;
	}
	shape->x = x;
	shape->y = y;
	shape->known = true;
	shape->doubted = false;
	return true;
}

bool hot_spot_settle(struct hot_spot *spot, int64_t dx, int64_t dy, uint32_t *x, uint32_t *y)
{
	struct hot_spot_shape *shape = spot->shown;
	if (!shape || !is_drawn(shape, dx, dy) || !believe(shape, (uint32_t)dx, (uint32_t)dy))
		return false;
	*x = shape->x;
	*y = shape->y;
	return true;
}
