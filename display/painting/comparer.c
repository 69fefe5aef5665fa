/* SPDX-License-Identifier: MIT */
#include "display/painting/comparer.h"

#include <glib.h>

#include "common/rect.h"
#include "display/painting/scroll.h"
#include "display/painting/strips.h"
#include "display/painting/video_areas.h"

struct comparer {
	struct strips *strips; /* what was sent outside the areas */
	struct video_areas *areas;
};

struct comparer *comparer_create(uint32_t width, uint32_t height)
{
	struct comparer *comparer = g_new(struct comparer, 1);
	comparer->strips = strips_create(width, height);
	comparer->areas = video_areas_create(width, height);
	return comparer;
}

void comparer_destroy(struct comparer *comparer)
{
	if (!comparer)
		return;
	strips_destroy(comparer->strips);
	video_areas_destroy(comparer->areas);
	g_free(comparer);
}

void comparer_forget(struct comparer *comparer, const struct rect *rect)
{
	strips_forget(comparer->strips, rect);
}

static bool is_damaged(const struct damage *damage, const struct rect *rect)
{
	struct rect shared;
	for (unsigned i = 0; i < damage->n_rects; i++) {
		if (rect_intersect(&damage->rects[i], rect, &shared))
			return true;
	}
	return false;
}

static void look_at_areas(struct comparer *comparer, const struct frame *frame,
	const struct damage *damage, int64_t now_us)
{
	for (unsigned i = 0; i < comparer->areas->n_live; i++) {
		struct video_area *area = &comparer->areas->live[i];
		area->changed = is_damaged(damage, &area->rect) &&
				video_area_look(area, now_us, frame->pixels, frame->stride_bytes);
	}
}

/*
 * Must be called after the areas were looked at: that frames have waited for the line is no quiet.
 * What a client sees in an area that ends was sent as video, with loss: all of it is damage again.
 */
static void end_areas(
	struct comparer *comparer, struct damage *damage, int64_t now_us, struct changes *changes)
{
	struct rect rect;
	while (video_areas_end(comparer->areas, now_us, &rect)) {
		g_assert(changes->n_ended < CHANGES_AREAS_MAX);
		strips_forget(comparer->strips, &rect);
		damage_add(damage, &rect);
		changes->ended[changes->n_ended++] = rect;
	}
}

/* Rectangles that overlap are looked at more than once. If they add up to more than the head, it is
 * cheaper to look at the head once. */
static void bound_damage(struct damage *damage)
{
	if (damage_area(damage) >= (uint64_t)damage->width * damage->height)
		damage_add_all(damage);
}

/* Looks at what of the rectangle lies in no area; `i` is the first one that is not cut out yet. */
static void look_outside(
	struct comparer *comparer, const struct frame *frame, const struct rect *rect, unsigned i)
{
	struct rect parts[4];
	if (i == comparer->areas->n_live) {
		strips_look(comparer->strips, frame->pixels, frame->stride_bytes, rect);
		return;
	}
	unsigned n = rect_subtract(rect, &comparer->areas->live[i].rect, parts);
	for (unsigned part = 0; part < n; part++)
		look_outside(comparer, frame, &parts[part], i + 1);
}

static void look_at_damage(
	struct comparer *comparer, const struct frame *frame, const struct damage *damage)
{
	for (unsigned i = 0; i < damage->n_rects; i++) {
		struct rect rect = strips_widen(comparer->strips, &damage->rects[i]);
		look_outside(comparer, frame, &rect, 0);
	}
}

/* While an area lives nothing counts as scrolled: what a client sees there is not what we know. */
static void look_for_scroll(struct comparer *comparer, struct changes *changes)
{
	changes->scrolled =
		comparer->areas->n_live == 0 && scroll_find(comparer->strips, &changes->scroll);
}

static void list_areas(const struct comparer *comparer, struct changes *changes)
{
	for (unsigned i = 0; i < comparer->areas->n_live; i++) {
		const struct video_area *area = &comparer->areas->live[i];
		changes->areas[changes->n_areas++] = (struct moving_area){
			.serial = area->serial,
			.rect = area->rect,
			.changed = area->changed,
		};
	}
}

/* What lies under an area that has just begun will be video: nothing is known of it any more. */
static void forget_new_areas(struct comparer *comparer, unsigned last_serial)
{
	for (unsigned i = 0; i < comparer->areas->n_live; i++) {
		if (comparer->areas->live[i].serial > last_serial)
			strips_forget(comparer->strips, &comparer->areas->live[i].rect);
	}
}

void comparer_look(struct comparer *comparer, const struct frame *frame, struct damage *damage,
	int64_t now_us, const struct video_wish *wish, struct changes *changes)
{
	struct strips *strips = comparer->strips;
	struct video_areas *areas = comparer->areas;
	unsigned last_serial = areas->last_serial;
	g_assert(frame->width == strips->width && frame->height == strips->height);
	*changes = (struct changes){ .frame = frame };
	look_at_areas(comparer, frame, damage, now_us);
	end_areas(comparer, damage, now_us, changes);
	bound_damage(damage);
	look_at_damage(comparer, frame, damage);
	look_for_scroll(comparer, changes);
	video_areas_note(areas, now_us, strips);
	video_areas_form(areas, now_us, strips, frame->pixels, frame->stride_bytes, wish);
	changes->n_rects = strips_take(strips, changes->rects, CHANGES_RECTS_MAX);
	forget_new_areas(comparer, last_serial);
	list_areas(comparer, changes);
}
