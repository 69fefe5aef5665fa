/* SPDX-License-Identifier: MIT */
#include "render/scanout/places.h"

#include <glib.h>

/* Modes lie no further away (modes.c). */
#define PLACE_MAX ((uint32_t)FRAME_SIZE_MAX * FRAME_HEADS_MAX)

static bool meet(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size)
{
	return a < (uint64_t)b + b_size && b < (uint64_t)a + a_size;
}

static bool is_left(const struct frame_head_mode *a, const struct frame_head_mode *b)
{
	return a->x + a->width <= b->x && meet(a->y, a->height, b->y, b->height);
}

static bool is_above(const struct frame_head_mode *a, const struct frame_head_mode *b)
{
	return a->y + a->height <= b->y && meet(a->x, a->width, b->x, b->width);
}

/* Where things end that lie before a head: as wished, and as they are. */
struct edge {
	uint32_t wished, is;
	bool any;
};

static void extend(
	struct edge *edge, uint32_t wished, uint32_t wished_size, uint32_t is, uint32_t size)
{
	edge->any = true;
	edge->wished = MAX(edge->wished, wished + wished_size);
	edge->is = MAX(edge->is, is + size);
}

/* The head stays as far behind the edge as was wished. */
static uint32_t behind(const struct edge *edge, uint32_t wished)
{
	return edge->any ? MIN(edge->is + (wished - edge->wished), PLACE_MAX) : wished;
}

/* Moves one behind those to its left and above it. Returns false when it is there already. */
static bool move(const struct head_place *places, struct head_place *place)
{
	struct edge left = { 0 }, above = { 0 };
	const struct frame_head_mode *b = &place->mode;
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		const struct head_place *other = &places[i];
		const struct frame_head_mode *a = &other->mode;
		if (!other->on || other == place || !a->enabled)
			continue;
		if (is_left(a, b))
			extend(&left, a->x, a->width, other->x, other->rect.width);
		if (is_above(a, b))
			extend(&above, a->y, a->height, other->y, other->rect.height);
	}
	uint32_t x = behind(&left, b->x), y = behind(&above, b->y);
	bool moved = x != place->x || y != place->y;
	place->x = x;
	place->y = y;
	return moved;
}

void places_find(struct head_place places[FRAME_HEADS_MAX])
{
	for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
		places[i].x = places[i].spans ? places[i].rect.x : places[i].mode.x;
		places[i].y = places[i].spans ? places[i].rect.y : places[i].mode.y;
	}
	/* Each round settles those that have one more before them, so a row is done after all. */
	bool moved = true;
	for (unsigned round = 0; moved && round < FRAME_HEADS_MAX; round++) {
		moved = false;
		for (unsigned i = 0; i < FRAME_HEADS_MAX; i++) {
			if (places[i].on && !places[i].spans && places[i].mode.enabled)
				moved |= move(places, &places[i]);
		}
	}
}
