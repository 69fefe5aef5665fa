/* SPDX-License-Identifier: MIT */
#include "display/heads/damage.h"

#include <glib.h>
#include <string.h>

void damage_reset(struct damage *damage, uint32_t width, uint32_t height)
{
	damage->width = width;
	damage->height = height;
	damage->n_rects = 0;
}

static bool clip(const struct damage *damage, const struct frame_rect *in, struct frame_rect *out)
{
	if (in->x >= damage->width || in->y >= damage->height || in->width == 0 || in->height == 0)
		return false;
	*out = *in;
	out->width = MIN(in->width, damage->width - in->x);
	out->height = MIN(in->height, damage->height - in->y);
	return true;
}

static bool contains(const struct frame_rect *outer, const struct frame_rect *inner)
{
	return inner->x >= outer->x && inner->y >= outer->y &&
	       inner->x + inner->width <= outer->x + outer->width &&
	       inner->y + inner->height <= outer->y + outer->height;
}

static void drop_contained(struct damage *damage, const struct frame_rect *rect)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < damage->n_rects; i++) {
		if (!contains(rect, &damage->rects[i]))
			damage->rects[kept++] = damage->rects[i];
	}
	damage->n_rects = kept;
}

static void extend(struct frame_rect *box, const struct frame_rect *by)
{
	if (box->width == 0) {
		*box = *by;
		return;
	}
	uint32_t right = MAX(box->x + box->width, by->x + by->width);
	uint32_t bottom = MAX(box->y + box->height, by->y + by->height);
	box->x = MIN(box->x, by->x);
	box->y = MIN(box->y, by->y);
	box->width = right - box->x;
	box->height = bottom - box->y;
}

static bool intersect(
	const struct frame_rect *a, const struct frame_rect *b, struct frame_rect *out)
{
	uint32_t x = MAX(a->x, b->x), y = MAX(a->y, b->y);
	uint32_t right = MIN(a->x + a->width, b->x + b->width);
	uint32_t bottom = MIN(a->y + a->height, b->y + b->height);
	if (x >= right || y >= bottom)
		return false;
	*out = (struct frame_rect){ x, y, right - x, bottom - y };
	return true;
}

static struct frame_rect tile_at(const struct damage *damage, unsigned column, unsigned row)
{
	uint32_t width = (damage->width + DAMAGE_GRID - 1) / DAMAGE_GRID;
	uint32_t height = (damage->height + DAMAGE_GRID - 1) / DAMAGE_GRID;
	return (struct frame_rect){ column * width, row * height, width, height };
}

/* Each tile keeps the bounding box of what changed inside it. */
static void fold(struct damage *damage)
{
	struct frame_rect boxes[DAMAGE_GRID * DAMAGE_GRID] = { 0 };
	for (unsigned tile = 0; tile < G_N_ELEMENTS(boxes); tile++) {
		struct frame_rect area = tile_at(damage, tile % DAMAGE_GRID, tile / DAMAGE_GRID);
		for (unsigned i = 0; i < damage->n_rects; i++) {
			struct frame_rect part;
			if (intersect(&area, &damage->rects[i], &part))
				extend(&boxes[tile], &part);
		}
	}
	damage->n_rects = 0;
	for (unsigned tile = 0; tile < G_N_ELEMENTS(boxes); tile++) {
		if (boxes[tile].width > 0)
			damage->rects[damage->n_rects++] = boxes[tile];
	}
}

void damage_add(struct damage *damage, const struct frame_rect *rect)
{
	struct frame_rect clipped;
	if (!clip(damage, rect, &clipped))
		return;
	for (unsigned i = 0; i < damage->n_rects; i++) {
		if (contains(&damage->rects[i], &clipped))
			return;
	}
	drop_contained(damage, &clipped);
	if (damage->n_rects == DAMAGE_RECTS_MAX)
		fold(damage);
	damage->rects[damage->n_rects++] = clipped;
}

void damage_add_all(struct damage *damage)
{
	struct frame_rect all = { 0, 0, damage->width, damage->height };
	damage_add(damage, &all);
}

bool damage_is_empty(const struct damage *damage)
{
	return damage->n_rects == 0;
}

uint64_t damage_area(const struct damage *damage)
{
	uint64_t area = 0;
	for (unsigned i = 0; i < damage->n_rects; i++)
		area += (uint64_t)damage->rects[i].width * damage->rects[i].height;
	return area;
}

bool damage_take(struct damage *damage, uint64_t pixels_max, struct frame_rect *rect)
{
	if (damage->n_rects == 0)
		return false;
	struct frame_rect *first = &damage->rects[0];
	uint64_t rows = MAX(pixels_max / first->width, 1);
	*rect = *first;
	if (rows < first->height) {
		rect->height = (uint32_t)rows;
		first->y += rect->height;
		first->height -= rect->height;
		return true;
	}
	damage->n_rects--;
	memmove(first, first + 1, damage->n_rects * sizeof(*first));
	return true;
}
