/* SPDX-License-Identifier: MIT */
#include "guest-tools/resize/places.h"

static int32_t right(const struct places_head *head)
{
	return head->x + (int32_t)head->width;
}

static int32_t bottom(const struct places_head *head)
{
	return head->y + (int32_t)head->height;
}

void places_resize(
	struct places_head *heads, unsigned n, unsigned which, uint32_t width, uint32_t height)
{
	struct places_head old = heads[which];
	for (unsigned i = 0; i < n; i++) {
		if (i == which || !heads[i].on)
			continue;
		if (heads[i].x >= right(&old))
			heads[i].x += (int32_t)width - (int32_t)old.width;
		else if (heads[i].y >= bottom(&old))
			heads[i].y += (int32_t)height - (int32_t)old.height;
	}
	heads[which].width = width;
	heads[which].height = height;
}

void places_turn_off(struct places_head *heads, unsigned n, unsigned which)
{
	places_resize(heads, n, which, 0, heads[which].height);
	heads[which].on = false;
}

void places_turn_on(
	struct places_head *heads, unsigned n, unsigned which, uint32_t width, uint32_t height)
{
	int32_t x = 0;
	for (unsigned i = 0; i < n; i++)
		if (i != which && heads[i].on && right(&heads[i]) > x)
			x = right(&heads[i]);
	heads[which] = (struct places_head){ true, x, 0, width, height };
}

void places_settle(struct places_head *heads, unsigned n, uint32_t *width, uint32_t *height)
{
	int32_t x = INT32_MAX, y = INT32_MAX;
	*width = *height = 0;
	for (unsigned i = 0; i < n; i++) {
		if (!heads[i].on)
			continue;
		x = heads[i].x < x ? heads[i].x : x;
		y = heads[i].y < y ? heads[i].y : y;
	}
	for (unsigned i = 0; i < n; i++) {
		if (!heads[i].on)
			continue;
		heads[i].x -= x;
		heads[i].y -= y;
		if ((uint32_t)right(&heads[i]) > *width)
			*width = (uint32_t)right(&heads[i]);
		if ((uint32_t)bottom(&heads[i]) > *height)
			*height = (uint32_t)bottom(&heads[i]);
	}
}
