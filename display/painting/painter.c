/* SPDX-License-Identifier: MIT */
#include "display/painting/painter.h"

#include <string.h>

#include "display/painting/content.h"
#include "common/rect.h"
#include "display/painting/video_areas.h"
#include "display/painting/scroll.h"
#include "protocol/stats_clients.h"
#include "display/painting/strips.h"

#define BYTES_PER_PIXEL 4u
/* A drawable's own, and its image's. */
#define STEP_BYTES 130u
/* Up to this size on the wire a step is a small one. */
#define SMALL_BYTES 4096u
/* A frame of video has about a byte for so many pixels. */
#define VIDEO_PIXELS_PER_BYTE 40u
/* Pieces are no smaller than so many rows. */
#define PIECE_ROWS_MIN 4u

struct painter *painter_create(struct head *head)
{
	struct painter *painter = g_new0(struct painter, 1);
	painter->head = head;
	return painter;
}

static bool has_regions(const struct painter *painter)
{
	return painter->regions && painter->regions->n_live > 0;
}

static bool steps_left(const struct painter *painter)
{
	return painter->next_step < painter->n_steps;
}

/* A region's last frame is kept: it is shown without loss when the region ends. */
static void end_steps(struct painter *painter)
{
	painter->n_steps = painter->next_step = 0;
	if (!has_regions(painter))
		g_clear_pointer(&painter->current, bitmap_source_unref);
}

static void forget(struct painter *painter)
{
	g_clear_pointer(&painter->tiles, strips_destroy);
	g_clear_pointer(&painter->regions, video_areas_destroy);
	painter->n_ended = 0;
	end_steps(painter);
}

void painter_destroy(struct painter *painter)
{
	if (!painter)
		return;
	forget(painter);
	g_free(painter);
}

static struct rect all(const struct painter *painter)
{
	return (struct rect){ 0, 0, painter->store.width, painter->store.height };
}

/* Steps. */

static void add_step(struct painter *painter, const struct painter_step *step)
{
	g_assert(painter->n_steps < G_N_ELEMENTS(painter->steps));
	painter->steps[painter->n_steps++] = *step;
}

static void add_lossless(struct painter *painter, const struct rect *rect, bool point)
{
	const struct frame *frame = painter->current->frame;
	struct content content = content_look(frame->pixels, frame->stride_bytes, rect);
	struct painter_step step = {
		.kind = BITMAP_PIXELS,
		.rect = *rect,
		.bytes = content.lossless_bytes + STEP_BYTES,
		.point = point,
	};
	add_step(painter, &step);
}

static void add_halves(struct painter *painter, const struct rect *rect, bool point)
{
	struct rect upper = *rect, lower = *rect;
	upper.height = rect->height / 2;
	lower.y += upper.height;
	lower.height -= upper.height;
	if (upper.height > 0)
		add_lossless(painter, &upper, point);
	add_lossless(painter, &lower, point);
}

/*
 * A drawable of the very rectangle of a stream takes its place, but spice-server leaves the
 * stream's clip as it is: frames that the client has not shown yet would be shown on top. One that
 * is larger or smaller takes its area out of the clip.
 */
static bool was_region(const struct painter *painter, const struct rect *rect)
{
	for (unsigned i = 0; i < MIN(painter->n_ended, PAINTER_ENDED_MAX); i++) {
		if (rect_equal(&painter->ended[i], rect))
			return true;
	}
	return false;
}

/* Regions send themselves. `i`: the first region that is not cut out yet. */
static void add_outside(struct painter *painter, const struct rect *rect, unsigned i)
{
	struct rect parts[4];
	bool room = painter->n_steps + PAINTER_RECTS_MAX + VIDEO_AREAS_MAX < PAINTER_STEPS_MAX;
	if (room && painter->regions && i < painter->regions->n_live) {
		unsigned n = rect_subtract(rect, &painter->regions->live[i].rect, parts);
		for (unsigned part = 0; part < n; part++)
			add_outside(painter, &parts[part], i + 1);
	} else if (was_region(painter, rect)) {
		add_halves(painter, rect, false);
	} else {
		add_lossless(painter, rect, false);
	}
}

/* spice-server compresses only what has no gaps between its rows. */
static bool wants_whole(const struct painter *painter, const struct rect *rects, unsigned n)
{
	struct rect whole = all(painter);
	uint64_t changed = 0;
	for (unsigned i = 0; i < n; i++)
		changed += rect_area(&rects[i]);
	return changed * 100 >= rect_area(&whole) * PAINTER_WHOLE_PERCENT &&
	       !has_regions(painter) &&
	       painter->current->frame->stride_bytes == whole.width * BYTES_PER_PIXEL &&
	       bitmap_can_point(painter->current, &whole);
}

/* Or it is sent in pieces, of which those that were sent need not be sent again. */
static bool fits_budget(
	const struct painter *painter, const struct rect *rect, uint64_t budget_bytes)
{
	const struct frame *frame = painter->current->frame;
	return content_look(frame->pixels, frame->stride_bytes, rect).lossless_bytes <=
	       budget_bytes;
}

static void add_rects(
	struct painter *painter, const struct rect *rects, unsigned n, uint64_t budget_bytes)
{
	struct rect whole = all(painter);
	if (wants_whole(painter, rects, n) && fits_budget(painter, &whole, budget_bytes)) {
		add_halves(painter, &whole, true);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		add_outside(painter, &rects[i], 0);
}

static void add_regions(struct painter *painter)
{
	for (unsigned i = 0; i < painter->regions->n_live; i++) {
		struct video_area *region = &painter->regions->live[i];
		if (region->begun && !region->due)
			continue;
		region->due = false;
		struct painter_step step = {
			.kind = BITMAP_PIXELS,
			.rect = region->rect,
			.bytes = rect_area(&region->rect) / VIDEO_PIXELS_PER_BYTE + STEP_BYTES,
			.point = bitmap_can_point(painter->current, &region->rect),
			.moving = true,
			.again = region->begun ? 0 : PAINTER_STREAM_BURST - 1,
		};
		add_step(painter, &step);
	}
}

static struct video_area *region_of(const struct painter *painter, const struct painter_step *step)
{
	for (unsigned i = 0; has_regions(painter) && i < painter->regions->n_live; i++) {
		if (step->moving && rect_equal(&painter->regions->live[i].rect, &step->rect))
			return &painter->regions->live[i];
	}
	return NULL;
}

/* Figures. */

static void count_changed(const struct painter *painter, const struct rect *rects, unsigned n)
{
	uint64_t pixels = 0;
	for (unsigned i = 0; i < n; i++)
		pixels += rect_area(&rects[i]);
	for (unsigned i = 0; has_regions(painter) && i < painter->regions->n_live; i++) {
		if (painter->regions->live[i].due)
			pixels += rect_area(&painter->regions->live[i].rect);
	}
	stats_add(painter->head->number, STATS_CHANGED_PIXELS, pixels);
}

static void count_streams(const struct painter *painter)
{
	unsigned n = has_regions(painter) ? painter->regions->n_live : 0;
	stats_set(painter->head->number, STATS_STREAMS, n);
	if (n == 0)
		stats_set_encoder(painter->head->number, "lossless");
}

/* Of a burst that begins a stream only the last picture is looked at. */
static void count_picture(
	const struct painter *painter, const struct painter_step *step, const struct rect *part)
{
	if (step->again > 0)
		return;
	stats_add(painter->head->number, STATS_DRAWABLES, 1);
	stats_add(painter->head->number, STATS_SENT_PIXELS, rect_area(part));
}

#define RANKS 5
/* What moved away, small ones, regions, then the rest from where the last frame's were given up. */
static unsigned rank(const struct painter *painter, const struct painter_step *step)
{
	if (step->kind == BITMAP_SCROLL)
		return 0;
	if (step->moving)
		return 2;
	if (step->bytes <= SMALL_BYTES)
		return 1;
	return step->rect.y >= painter->resume_y ? 3 : 4;
}

static void order_steps(struct painter *painter)
{
	struct painter_step ordered[PAINTER_STEPS_MAX];
	unsigned n = 0;
	for (unsigned wanted = 0; wanted < RANKS; wanted++) {
		for (unsigned i = 0; i < painter->n_steps; i++) {
			if (rank(painter, &painter->steps[i]) == wanted)
				ordered[n++] = painter->steps[i];
		}
	}
	memcpy(painter->steps, ordered, n * sizeof(ordered[0]));
}

/* Looking at a frame. */

/* Overlapping rectangles would be looked at more than once: past a head's area that is worse than
 * all. */
static void bound_damage(struct painter *painter)
{
	struct rect whole = all(painter);
	if (damage_area(&painter->damage) >= rect_area(&whole))
		damage_add_all(&painter->damage);
}

static void look_outside(struct painter *painter, const struct rect *rect, unsigned i)
{
	const struct frame *frame = painter->current->frame;
	struct rect parts[4];
	if (i == painter->regions->n_live) {
		strips_look(painter->tiles, frame->pixels, frame->stride_bytes, rect);
		return;
	}
	unsigned n = rect_subtract(rect, &painter->regions->live[i].rect, parts);
	for (unsigned part = 0; part < n; part++)
		look_outside(painter, &parts[part], i + 1);
}

static bool is_damaged(const struct painter *painter, const struct rect *rect)
{
	struct rect shared;
	for (unsigned i = 0; i < painter->damage.n_rects; i++) {
		if (rect_intersect(&painter->damage.rects[i], rect, &shared))
			return true;
	}
	return false;
}

static void look_at_regions(struct painter *painter, int64_t now_us)
{
	const struct frame *frame = painter->current->frame;
	for (unsigned i = 0; i < painter->regions->n_live; i++) {
		struct video_area *region = &painter->regions->live[i];
		if (is_damaged(painter, &region->rect) &&
			video_area_look(region, now_us, frame->pixels, frame->stride_bytes))
			region->due = true;
	}
}

/*
 * After they were looked at: where frames waited for the line, that is no quiet. What spice-server
 * shows there was video: all of it is damage again.
 */
static void end_regions(struct painter *painter, int64_t now_us)
{
	struct rect rect;
	while (video_areas_end(painter->regions, now_us, &rect)) {
		strips_forget(painter->tiles, &rect);
		damage_add(&painter->damage, &rect);
		painter->ended[painter->n_ended++ % PAINTER_ENDED_MAX] = rect;
	}
}

/* Beside a moving region nothing is moved: what spice-server shows there is not what we know. */
static void look_for_scroll(struct painter *painter)
{
	struct scroll scroll;
	if (has_regions(painter) || !scroll_find(painter->tiles, &scroll))
		return;
	struct painter_step step = {
		.kind = BITMAP_SCROLL,
		.rect = scroll.rect,
		.from_x = scroll.rect.x,
		.from_y = scroll.from_y,
		.bytes = STEP_BYTES,
	};
	add_step(painter, &step);
}

static unsigned look(
	struct painter *painter, int64_t now_us, uint64_t lossless_bps, struct rect *rects)
{
	const struct frame *frame = painter->current->frame;
	look_at_regions(painter, now_us);
	end_regions(painter, now_us);
	bound_damage(painter);
	for (unsigned i = 0; i < painter->damage.n_rects; i++) {
		struct rect rect = strips_widen(painter->tiles, &painter->damage.rects[i]);
		look_outside(painter, &rect, 0);
	}
	look_for_scroll(painter);
	video_areas_note(painter->regions, now_us, painter->tiles);
	video_areas_form(painter->regions, now_us, painter->tiles, frame->pixels,
		frame->stride_bytes, lossless_bps);
	unsigned n = strips_take(painter->tiles, rects, PAINTER_RECTS_MAX);
	for (unsigned i = 0; i < painter->regions->n_live; i++) {
		if (!painter->regions->live[i].begun)
			strips_forget(painter->tiles, &painter->regions->live[i].rect);
	}
	return n;
}

/* Nothing to compare with: the damage itself, or a box around it when it has too many parts. */
static unsigned list_damage(struct painter *painter, struct rect *rects)
{
	unsigned n = 0;
	if (painter->damage.n_rects > PAINTER_RECTS_MAX)
		damage_add_all(&painter->damage);
	while (damage_take(&painter->damage, UINT64_MAX, &rects[n]))
		n++;
	return n;
}

static void plan(struct painter *painter, int64_t now_us, const struct painter_limits *limits)
{
	struct rect rects[PAINTER_RECTS_MAX + 1];
	painter->n_steps = painter->next_step = 0;
	unsigned n = painter->tiles ? look(painter, now_us, limits->lossless_bps, rects) :
				      list_damage(painter, rects);
	count_changed(painter, rects, n);
	count_streams(painter);
	add_rects(painter, rects, n, limits->budget_bytes);
	if (painter->regions)
		add_regions(painter);
	order_steps(painter);
	painter->resume_y = 0;
	if (!steps_left(painter))
		end_steps(painter);
}

/* What was not taken is unknown on the surface, and damage of the next frame. */
static void give_up_steps(struct painter *painter)
{
	for (unsigned i = painter->next_step; i < painter->n_steps; i++) {
		const struct painter_step *step = &painter->steps[i];
		struct video_area *region = region_of(painter, step);
		if (region) {
			region->due = true;
			continue;
		}
		if (painter->resume_y == 0 && step->bytes > SMALL_BYTES)
			painter->resume_y = step->rect.y;
		if (painter->tiles)
			strips_forget(painter->tiles, &step->rect);
		damage_add(&painter->damage, &step->rect);
	}
	painter->n_steps = painter->next_step = 0;
	g_clear_pointer(&painter->current, bitmap_source_unref);
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
	return painter->store.sources - only_mine < BITMAP_SOURCES_MAX;
}

/* With the lock: what has happened since the last time. */
static void notice(struct painter *painter)
{
	struct head *head = painter->head;
	if (painter->mode != head->mode || head->blank || (!head->watched && painter->tiles)) {
		painter->mode = head->mode;
		forget(painter);
		painter->store.width = head->width;
		painter->store.height = head->height;
	}
	if (head->watched && !painter->tiles && head->newest) {
		painter->tiles = strips_create(head->width, head->height);
		painter->regions = video_areas_create(head->width, head->height);
	}
}

static void begin(struct painter *painter, struct frame *frame, int64_t now_us,
	const struct painter_limits *limits)
{
	give_up_steps(painter);
	painter->current = bitmap_source_create(&painter->store, frame);
	plan(painter, now_us, limits);
}

/* No newer frame, but a region may have ended. */
static void look_again(struct painter *painter, int64_t now_us, const struct painter_limits *limits)
{
	if (steps_left(painter) || !has_regions(painter) || !painter->current)
		return;
	damage_reset(&painter->damage, painter->store.width, painter->store.height);
	plan(painter, now_us, limits);
}

static enum bitmap_result take_blank(struct painter *painter, struct bitmap *picture)
{
	*picture = (struct bitmap){
		.kind = BITMAP_BLACK,
		.rect = all(painter),
		.store = &painter->store,
	};
	return BITMAP_TAKEN;
}

/* As many of the upper rows as one copy may have, and as the line takes now. A region goes whole.
 */
static struct rect upper_part(
	const struct painter *painter, const struct painter_step *step, uint64_t budget_bytes)
{
	struct rect part = step->rect;
	uint64_t rows = part.height;
	if (!step->moving && step->bytes > SMALL_BYTES && step->bytes > budget_bytes)
		rows = MAX(rows * budget_bytes / step->bytes, PIECE_ROWS_MIN);
	if (!step->point && step->kind == BITMAP_PIXELS)
		rows = MIN(rows, MAX(bitmap_copy_pixels_max(&painter->store) / part.width, 1));
	part.height = (uint32_t)MIN(rows, part.height);
	return part;
}

static void step_taken(
	struct painter *painter, struct painter_step *step, uint32_t rows, uint64_t bytes)
{
	struct video_area *region = region_of(painter, step);
	if (step->again > 0) {
		step->again--;
		return;
	}
	step->bytes -= bytes;
	if (region && !region->begun)
		stats_add(painter->head->number, STATS_STREAM_STARTS, 1);
	if (region)
		region->begun = true;
	step->rect.y += rows;
	step->rect.height -= rows;
	if (step->rect.height == 0)
		painter->next_step++;
	if (!steps_left(painter))
		end_steps(painter);
}

static enum bitmap_result take_scroll(
	struct painter *painter, const struct painter_step *step, struct bitmap *picture)
{
	*picture = (struct bitmap){
		.kind = BITMAP_SCROLL,
		.rect = step->rect,
		.from_x = step->from_x,
		.from_y = step->from_y,
		.store = &painter->store,
	};
	return BITMAP_TAKEN;
}

/* Small ones do not wait for the line. */
static bool has_to_wait(const struct painter_step *step, const struct painter_limits *limits)
{
	return limits->budget_bytes == 0 &&
	       (step->moving || step->bytes > MIN(SMALL_BYTES, limits->small_bytes));
}

static enum bitmap_result take_step(
	struct painter *painter, const struct painter_limits *limits, struct bitmap *picture)
{
	struct painter_step *step = &painter->steps[painter->next_step];
	if (has_to_wait(step, limits))
		return BITMAP_BLOCKED;
	struct rect part = upper_part(painter, step, limits->budget_bytes);
	enum bitmap_result result = BITMAP_TAKEN;
	if (step->kind == BITMAP_SCROLL)
		result = take_scroll(painter, step, picture);
	else if (step->point)
		bitmap_point(picture, painter->current, &part);
	else
		result = bitmap_copy(picture, painter->current, &part);
	if (result != BITMAP_TAKEN)
		return result;
	uint64_t bytes = step->bytes * part.height / step->rect.height;
	picture->moving = step->moving;
	picture->estimated_bytes = step->again > 0 ? 0 : bytes;
	painter->whole_held |= step->point && !step->moving;
	if (painter->next_step == 0)
		stats_frame_begun(painter->head->number, painter->current->frame->flush_time_ns);
	count_picture(painter, step, &part);
	step_taken(painter, step, part.height, bytes);
	return result;
}

enum bitmap_result painter_take(struct painter *painter, int64_t now_us,
	const struct painter_limits *limits, struct bitmap *picture)
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
		begin(painter, frame, now_us, limits);
	else
		look_again(painter, now_us, limits);
	if (steps_left(painter))
		return take_step(painter, limits, picture);
	if (!blocked)
		return BITMAP_NONE;
	bool starved = has_regions(painter) && painter->whole_held;
	painter->whole_held &= !starved;
	return starved ? BITMAP_STARVED : BITMAP_BLOCKED;
}

bool painter_wants_ticks(const struct painter *painter)
{
	return has_regions(painter);
}

bool painter_release(struct painter *painter, struct bitmap *picture)
{
	struct head *head = painter->head;
	bitmap_release(picture);
	g_mutex_lock(&head->lock);
	bool waiting = head->newest != NULL;
	g_mutex_unlock(&head->lock);
	return waiting || steps_left(painter);
}
