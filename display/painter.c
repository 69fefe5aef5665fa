/* SPDX-License-Identifier: MIT */
#include "display/painter.h"

#include <string.h>

#include "display/tiles.h"

#define MOTION_PIXELS_MIN (96u * 96u)

struct painter *painter_create(struct head *head)
{
	struct painter *painter = g_new0(struct painter, 1);
	painter->head = head;
	return painter;
}

static void drop_steps(struct painter *painter)
{
	painter->n_steps = painter->next_step = 0;
	g_clear_pointer(&painter->current, picture_source_unref);
}

static void forget(struct painter *painter)
{
	drop_steps(painter);
	g_clear_pointer(&painter->tiles, tiles_destroy);
}

void painter_destroy(struct painter *painter)
{
	if (!painter)
		return;
	forget(painter);
	g_free(painter);
}

static uint64_t area(const struct frame_rect *rect)
{
	return (uint64_t)rect->width * rect->height;
}

static struct frame_rect all(const struct painter *painter)
{
	return (struct frame_rect){ 0, 0, painter->store.width, painter->store.height };
}

static bool steps_left(const struct painter *painter)
{
	return painter->next_step < painter->n_steps;
}

/* Steps. */

static void add_step(struct painter *painter, const struct painter_step *step)
{
	g_assert(painter->n_steps < G_N_ELEMENTS(painter->steps));
	painter->steps[painter->n_steps++] = *step;
}

static void add_whole(struct painter *painter)
{
	struct painter_step step = {
		.kind = PICTURE_PIXELS,
		.rect = all(painter),
		.point = true,
		.moving = true,
	};
	add_step(painter, &step);
}

static bool wants_whole(const struct painter *painter, const struct frame_rect *rects, unsigned n)
{
	struct frame_rect whole = all(painter);
	uint64_t changed = 0;
	for (unsigned i = 0; i < n; i++)
		changed += area(&rects[i]);
	return changed * 100 >= area(&whole) * PAINTER_WHOLE_PERCENT &&
			picture_can_point(painter->current, &whole);
}

static void add_rects(struct painter *painter, const struct frame_rect *rects, unsigned n)
{
	if (wants_whole(painter, rects, n)) {
		add_whole(painter);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		struct painter_step step = {
			.kind = PICTURE_PIXELS,
			.rect = rects[i],
			.moving = true,
		};
		add_step(painter, &step);
	}
}

/* Looking at a frame. */

/* Overlapping rectangles would be looked at more than once: past a head's area that is worse than all. */
static void bound_damage(struct painter *painter)
{
	struct frame_rect whole = all(painter);
	if (damage_area(&painter->damage) >= area(&whole))
		damage_add_all(&painter->damage);
}

/* spice-server takes a large rectangle that comes again and again for motion: it has to stay as it is. */
static bool is_motion(const struct painter *painter)
{
	const struct damage *damage = &painter->damage;
	uint64_t changed = painter->tiles->n_changed * TILES_STRIP;
	return damage->n_rects == 1 && damage_area(damage) >= MOTION_PIXELS_MIN &&
			changed >= damage_area(damage) / 2;
}

static unsigned look(struct painter *painter, struct frame_rect *rects)
{
	const struct frame *frame = painter->current->frame;
	bound_damage(painter);
	for (unsigned i = 0; i < painter->damage.n_rects; i++)
		tiles_look(painter->tiles, frame->pixels, frame->stride_bytes,
				&painter->damage.rects[i]);
	bool motion = is_motion(painter);
	unsigned n = tiles_take(painter->tiles, rects, PAINTER_RECTS_MAX);
	if (motion)
		rects[0] = painter->damage.rects[0];
	return motion ? 1 : n;
}

/* Nothing to compare with: the damage itself, or a box around it when it has too many parts. */
static unsigned list_damage(struct painter *painter, struct frame_rect *rects)
{
	unsigned n = 0;
	if (painter->damage.n_rects > PAINTER_RECTS_MAX)
		damage_add_all(&painter->damage);
	while (damage_take(&painter->damage, UINT64_MAX, &rects[n]))
		n++;
	return n;
}

static void plan(struct painter *painter)
{
	struct frame_rect rects[PAINTER_RECTS_MAX];
	unsigned n = painter->tiles ? look(painter, rects) : list_damage(painter, rects);
	painter->n_steps = painter->next_step = 0;
	add_rects(painter, rects, n);
}

/* What was not taken is unknown on the surface, and damage of the next frame. */
static void give_up_steps(struct painter *painter)
{
	for (unsigned i = painter->next_step; i < painter->n_steps; i++) {
		if (painter->tiles)
			tiles_forget(painter->tiles, &painter->steps[i].rect);
		damage_add(&painter->damage, &painter->steps[i].rect);
	}
	drop_steps(painter);
}

static void copy_damage(struct damage *to, const struct damage *from)
{
	damage_reset(to, from->width, from->height);
	to->n_rects = from->n_rects;
	memcpy(to->rects, from->rects, from->n_rects * sizeof(from->rects[0]));
}

/* With the lock. */
static struct frame *take_newest(struct painter *painter)
{
	struct head *head = painter->head;
	copy_damage(&painter->damage, &head->pending);
	damage_reset(&head->pending, head->width, head->height);
	return g_steal_pointer(&head->newest);
}

static bool may_hold_one_more(const struct painter *painter)
{
	bool only_mine = painter->current && painter->current->refs == 1;
	return painter->store.sources - only_mine < PICTURE_SOURCES_MAX;
}

/* With the lock: what has happened since the last time. */
static void notice(struct painter *painter)
{
	struct head *head = painter->head;
	if (painter->mode != head->mode || head->blank) {
		painter->mode = head->mode;
		forget(painter);
		painter->store.width = head->width;
		painter->store.height = head->height;
	}
	if (!head->watched)
		g_clear_pointer(&painter->tiles, tiles_destroy);
	else if (!painter->tiles && head->newest)
		painter->tiles = tiles_create(head->width, head->height);
}

static void begin(struct painter *painter, struct frame *frame)
{
	give_up_steps(painter);
	painter->current = picture_source_create(&painter->store, frame);
	plan(painter);
	if (!steps_left(painter))
		drop_steps(painter);
}

static enum picture_result take_blank(struct painter *painter, struct picture *picture)
{
	*picture = (struct picture){
		.kind = PICTURE_BLACK,
		.rect = all(painter),
		.store = &painter->store,
	};
	return PICTURE_TAKEN;
}

/* As many of the upper rows as one copy may have. */
static struct frame_rect upper_part(const struct painter *painter, const struct frame_rect *rect)
{
	uint64_t rows = MAX(picture_copy_pixels_max(&painter->store) / rect->width, 1);
	struct frame_rect part = *rect;
	part.height = (uint32_t)MIN(rows, rect->height);
	return part;
}

static enum picture_result take_step(struct painter *painter, struct picture *picture)
{
	struct painter_step *step = &painter->steps[painter->next_step];
	enum picture_result result = PICTURE_TAKEN;
	struct frame_rect part = step->rect;
	if (step->point) {
		picture_point(picture, painter->current, &part);
	} else {
		part = upper_part(painter, &step->rect);
		result = picture_copy(picture, painter->current, &part);
	}
	if (result != PICTURE_TAKEN)
		return result;
	picture->moving = step->moving;
	step->rect.y += part.height;
	step->rect.height -= part.height;
	if (step->rect.height == 0)
		painter->next_step++;
	if (!steps_left(painter))
		drop_steps(painter);
	return result;
}

enum picture_result painter_take(struct painter *painter, struct picture *picture)
{
	struct head *head = painter->head;
	struct frame *frame = NULL;
	g_mutex_lock(&head->lock);
	notice(painter);
	bool blank = head->blank;
	head->blank = false;
	bool blocked = head->newest && !may_hold_one_more(painter);
	if (!blank && head->newest && !blocked)
		frame = take_newest(painter);
	g_mutex_unlock(&head->lock);
	if (blank)
		return take_blank(painter, picture);
	if (frame)
		begin(painter, frame);
	if (steps_left(painter))
		return take_step(painter, picture);
	return blocked ? PICTURE_BLOCKED : PICTURE_NONE;
}

bool painter_release(struct painter *painter, struct picture *picture)
{
	struct head *head = painter->head;
	picture_release(picture);
	g_mutex_lock(&head->lock);
	bool waiting = head->newest != NULL;
	g_mutex_unlock(&head->lock);
	return waiting || steps_left(painter);
}
