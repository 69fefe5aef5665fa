/* SPDX-License-Identifier: MIT */
#include "display/heads/damage.h"

#include <glib.h>
#include <string.h>

#include "common/rect.h"

void damage_reset(struct damage *damage, uint32_t width, uint32_t height)
{
	damage->width = width;
	damage->height = height;
	damage->n_rects = 0;
}

static bool clip(const struct damage *damage, const struct rect *in, struct rect *out)
{
	if (in->x >= damage->width || in->y >= damage->height || in->width == 0 || in->height == 0)
		return false;
	*out = *in;
	out->width = MIN(in->width, damage->width - in->x);
	out->height = MIN(in->height, damage->height - in->y);
	return true;
}

static void drop_contained(struct damage *damage, const struct rect *rect)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < damage->n_rects; i++) {
		if (!rect_contains(rect, &damage->rects[i]))
			damage->rects[kept++] = damage->rects[i];
	}
	damage->n_rects = kept;
}

static struct rect cell_at(const struct damage *damage, unsigned column, unsigned row)
{
	uint32_t width = (damage->width + DAMAGE_GRID - 1) / DAMAGE_GRID;
	uint32_t height = (damage->height + DAMAGE_GRID - 1) / DAMAGE_GRID;
	return (struct rect){ column * width, row * height, width, height };
}

G_STATIC_ASSERT(DAMAGE_GRID *DAMAGE_GRID < DAMAGE_RECTS_MAX);

/* Each cell of the grid keeps the box around what changed inside it. */
static void fold(struct damage *damage)
{
	struct rect boxes[DAMAGE_GRID * DAMAGE_GRID] = { 0 };
	for (unsigned cell = 0; cell < G_N_ELEMENTS(boxes); cell++) {
		struct rect area = cell_at(damage, cell % DAMAGE_GRID, cell / DAMAGE_GRID);
		for (unsigned i = 0; i < damage->n_rects; i++) {
			struct rect part;
			if (rect_intersect(&area, &damage->rects[i], &part))
				boxes[cell] = boxes[cell].width > 0 ?
						      rect_join(&boxes[cell], &part) :
						      part;
		}
	}
	damage->n_rects = 0;
	for (unsigned cell = 0; cell < G_N_ELEMENTS(boxes); cell++) {
		if (boxes[cell].width > 0)
			damage->rects[damage->n_rects++] = boxes[cell];
	}
}

void damage_add(struct damage *damage, const struct rect *rect)
{
	struct rect clipped;
	if (!clip(damage, rect, &clipped))
		return;
	for (unsigned i = 0; i < damage->n_rects; i++) {
		if (rect_contains(&damage->rects[i], &clipped))
			return;
	}
	drop_contained(damage, &clipped);
	if (damage->n_rects == DAMAGE_RECTS_MAX)
		fold(damage);
	g_assert(damage->n_rects < DAMAGE_RECTS_MAX);
	damage->rects[damage->n_rects++] = clipped;
}

void damage_add_all(struct damage *damage)
{
	struct rect all = { 0, 0, damage->width, damage->height };
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
		area += rect_area(&damage->rects[i]);
	return area;
}

bool damage_take(struct damage *damage, uint64_t pixels_max, struct rect *rect)
{
	if (damage->n_rects == 0)
		return false;
	struct rect *first = &damage->rects[0];
	g_assert(first->width > 0 && first->height > 0);
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
