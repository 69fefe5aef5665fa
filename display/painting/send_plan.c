/* SPDX-License-Identifier: MIT */
#include "display/painting/send_plan.h"

#include <glib.h>
#include <string.h>

#include "common/rect.h"
#include "protocol/stats_clients.h"

/* A drawable takes this many bytes on the wire for itself and its image's header. */
#define STEP_BYTES 130u
/* A step of up to this many bytes on the wire is a small one. */
#define SMALL_BYTES 4096u
/* A frame of video has about a byte for 40 pixels. */
#define VIDEO_PIXELS_PER_BYTE 40u
/* A piece of a large step has at least this many rows. */
#define PIECE_ROWS_MIN 4u
/*
 * spice-server sends what a stream showed once more without loss when a larger one takes its place.
 * On a line that carries less than this for drawn content, that takes seconds. There an area begins
 * with all that moved of late.
 */
#define GROWTH_DEAR_BPS 10000000u

void send_plan_init(struct send_plan *plan, unsigned head)
{
	*plan = (struct send_plan){ .head = head };
}

static void drop_steps(struct send_plan *plan)
{
	plan->n_steps = plan->next_step = 0;
}

void send_plan_forget(struct send_plan *plan)
{
	drop_steps(plan);
	plan->n_areas = plan->n_ended = 0;
}

bool send_plan_has_steps(const struct send_plan *plan)
{
	return plan->next_step < plan->n_steps;
}

bool send_plan_has_video(const struct send_plan *plan)
{
	return plan->n_areas > 0;
}

struct video_wish send_plan_wish(const struct send_limits *limits)
{
	return (struct video_wish){
		.drawn_bps_max = limits->lossless_bps,
		.begin_large = limits->lossless_bps < GROWTH_DEAR_BPS,
	};
}

static bool is_video(const struct send_step *step)
{
	return step->area != 0;
}

/* ---- making the steps ---- */

/* It holds what a plan is made of. */
struct plan_making {
	struct send_plan *plan;
	const struct bitmap_source *source;
	const struct changes *changes;
};

static void add_step(struct send_plan *plan, const struct send_step *step)
{
	g_assert(plan->n_steps < SEND_STEPS_MAX);
	plan->steps[plan->n_steps++] = *step;
}

static void add_lossless(const struct plan_making *making, const struct rect *rect, bool point)
{
	struct send_step step = {
		.kind = BITMAP_PIXELS,
		.rect = *rect,
		.bytes = changes_lossless_bytes(making->changes, rect) + STEP_BYTES,
		.point = point,
	};
	add_step(making->plan, &step);
}

static void add_halves(const struct plan_making *making, const struct rect *rect, bool point)
{
	struct rect upper = *rect, lower = *rect;
	upper.height = rect->height / 2;
	lower.y += upper.height;
	lower.height -= upper.height;
	if (upper.height > 0)
		add_lossless(making, &upper, point);
	add_lossless(making, &lower, point);
}

/*
 * A drawable of the very rectangle of a stream takes its place, but spice-server leaves the
 * stream's clip as it is: frames that the client has not shown yet would be shown on top. One that
 * is larger or smaller takes its area out of the clip.
 */
static bool was_area(const struct send_plan *plan, const struct rect *rect)
{
	for (unsigned i = 0; i < MIN(plan->n_ended, SEND_ENDED_MAX); i++) {
		if (rect_equal(&plan->ended[i], rect))
			return true;
	}
	return false;
}

/*
 * Video areas are sent as steps of their own and are cut out, unless there are too many steps
 * already. `i` is the first area that is not cut out yet.
 */
static void add_outside(const struct plan_making *making, const struct rect *rect, unsigned i)
{
	const struct send_plan *plan = making->plan;
	struct rect parts[4];
	bool room = plan->n_steps + CHANGES_RECTS_MAX + CHANGES_AREAS_MAX < SEND_STEPS_MAX;
	if (room && i < plan->n_areas) {
		unsigned n = rect_subtract(rect, &plan->areas[i].rect, parts);
		for (unsigned part = 0; part < n; part++)
			add_outside(making, &parts[part], i + 1);
	} else if (was_area(plan, rect)) {
		add_halves(making, rect, false);
	} else {
		add_lossless(making, rect, false);
	}
}

static struct rect all(const struct plan_making *making)
{
	const struct bitmap_store *store = making->source->store;
	return (struct rect){ 0, 0, store->width, store->height };
}

static uint64_t changed_pixels(const struct changes *changes)
{
	uint64_t pixels = 0;
	for (unsigned i = 0; i < changes->n_rects; i++)
		pixels += rect_area(&changes->rects[i]);
	return pixels;
}

/* spice-server compresses only what has no gaps between its rows. */
static bool wants_whole(const struct plan_making *making)
{
	struct rect whole = all(making);
	return changed_pixels(making->changes) * 100 >= rect_area(&whole) * SEND_WHOLE_PERCENT &&
	       !send_plan_has_video(making->plan) &&
	       making->changes->frame->stride_bytes == whole.width * RECT_PIXEL_BYTES &&
	       bitmap_can_point(making->source, &whole);
}

/*
 * If all of the head is past the budget, it is sent in pieces, of which those that were sent need
 * not be sent again.
 */
static void add_rects(const struct plan_making *making, uint64_t budget_bytes)
{
	const struct changes *changes = making->changes;
	struct rect whole = all(making);
	if (wants_whole(making) && changes_lossless_bytes(changes, &whole) <= budget_bytes) {
		add_halves(making, &whole, true);
		return;
	}
	for (unsigned i = 0; i < changes->n_rects; i++)
		add_outside(making, &changes->rects[i], 0);
}

static void add_scroll(const struct plan_making *making)
{
	const struct scroll *scroll = &making->changes->scroll;
	struct send_step step = {
		.kind = BITMAP_SCROLL,
		.rect = scroll->rect,
		.from_x = scroll->rect.x,
		.from_y = scroll->from_y,
		.bytes = STEP_BYTES,
	};
	if (making->changes->scrolled)
		add_step(making->plan, &step);
}

static void add_areas(const struct plan_making *making)
{
	for (unsigned i = 0; i < making->plan->n_areas; i++) {
		struct sent_area *area = &making->plan->areas[i];
		if (area->begun && !area->due)
			continue;
		area->due = false;
		struct send_step step = {
			.kind = BITMAP_PIXELS,
			.rect = area->rect,
			.bytes = rect_area(&area->rect) / VIDEO_PIXELS_PER_BYTE + STEP_BYTES,
			.point = bitmap_can_point(making->source, &area->rect),
			.area = area->serial,
			.again = area->begun ? 0 : SEND_STREAM_BURST - 1,
		};
		add_step(making->plan, &step);
	}
}

/* ---- video areas ---- */

static struct sent_area *find_area(struct send_plan *plan, unsigned serial)
{
	for (unsigned i = 0; i < plan->n_areas; i++) {
		if (plan->areas[i].serial == serial)
			return &plan->areas[i];
	}
	return NULL;
}

/*
 * Lists the areas that live now, in the order in which they are named, with what is known of each.
 */
static void note_areas(struct send_plan *plan, const struct changes *changes)
{
	struct sent_area areas[CHANGES_AREAS_MAX];
	g_assert(changes->n_areas <= CHANGES_AREAS_MAX);
	for (unsigned i = 0; i < changes->n_areas; i++) {
		const struct moving_area *now = &changes->areas[i];
		const struct sent_area *before = find_area(plan, now->serial);
		areas[i] = before ? *before :
				    (struct sent_area){ .serial = now->serial, .rect = now->rect };
		areas[i].due |= now->changed;
	}
	memcpy(plan->areas, areas, changes->n_areas * sizeof(areas[0]));
	plan->n_areas = changes->n_areas;
	for (unsigned i = 0; i < changes->n_ended; i++)
		plan->ended[plan->n_ended++ % SEND_ENDED_MAX] = changes->ended[i];
}

/* ---- figures ---- */

static void count_changed(const struct send_plan *plan, const struct changes *changes)
{
	uint64_t pixels = changed_pixels(changes);
	for (unsigned i = 0; i < plan->n_areas; i++) {
		if (plan->areas[i].due)
			pixels += rect_area(&plan->areas[i].rect);
	}
	stats_add(plan->head, STATS_CHANGED_PIXELS, pixels);
}

static void count_streams(const struct send_plan *plan)
{
	stats_set(plan->head, STATS_STREAMS, plan->n_areas);
	if (plan->n_areas == 0)
		stats_set_encoder(plan->head, "lossless");
}

/* Of a burst only the last bitmap counts: it is the only one that spice-server looks at. */
static void count_drawable(
	const struct send_plan *plan, const struct send_step *step, const struct rect *part)
{
	if (step->again > 0)
		return;
	stats_add(plan->head, STATS_DRAWABLES, 1);
	stats_add(plan->head, STATS_SENT_PIXELS, rect_area(part));
}

/*
 * The order is: what moved away, small steps, video, then the rest from where the last plan was
 * given up.
 */
#define RANKS 5
static unsigned rank(const struct send_plan *plan, const struct send_step *step)
{
	if (step->kind == BITMAP_SCROLL)
		return 0;
	if (is_video(step))
		return 2;
	if (step->bytes <= SMALL_BYTES)
		return 1;
	return step->rect.y >= plan->resume_y ? 3 : 4;
}

static void order_steps(struct send_plan *plan)
{
	struct send_step ordered[SEND_STEPS_MAX];
	unsigned n = 0;
	for (unsigned wanted = 0; wanted < RANKS; wanted++) {
		for (unsigned i = 0; i < plan->n_steps; i++) {
			if (rank(plan, &plan->steps[i]) == wanted)
				ordered[n++] = plan->steps[i];
		}
	}
	g_assert(n == plan->n_steps);
	memcpy(plan->steps, ordered, n * sizeof(ordered[0]));
}

void send_plan_make(struct send_plan *plan, struct bitmap_source *source,
	const struct changes *changes, const struct send_limits *limits)
{
	const struct plan_making making = { plan, source, changes };
	g_assert(!send_plan_has_steps(plan) && changes->frame == source->frame);
	drop_steps(plan);
	note_areas(plan, changes);
	count_changed(plan, changes);
	count_streams(plan);
	add_scroll(&making);
	add_rects(&making, limits->budget_bytes);
	add_areas(&making);
	order_steps(plan);
	plan->resume_y = 0;
}

/* ---- taking them ---- */

/*
 * Returns as many of the upper rows as one copy may have and as the line takes now. Video goes
 * whole.
 */
static struct rect upper_part(
	const struct bitmap_store *store, const struct send_step *step, uint64_t budget_bytes)
{
	struct rect part = step->rect;
	uint64_t rows = part.height;
	if (!is_video(step) && step->bytes > SMALL_BYTES && step->bytes > budget_bytes)
		rows = MAX(rows * budget_bytes / step->bytes, PIECE_ROWS_MIN);
	if (!step->point && step->kind == BITMAP_PIXELS)
		rows = MIN(rows, MAX(bitmap_copy_pixels_max(store) / part.width, 1));
	part.height = (uint32_t)MIN(rows, part.height);
	return part;
}

/* Says whether the step waits for the line; small ones do not. */
static bool has_to_wait(const struct send_step *step, const struct send_limits *limits)
{
	return limits->budget_bytes == 0 &&
	       (is_video(step) || step->bytes > MIN(SMALL_BYTES, limits->small_bytes));
}

static enum bitmap_result make_bitmap(struct bitmap *bitmap, struct bitmap_source *source,
	const struct send_step *step, const struct rect *part)
{
	if (step->kind == BITMAP_PIXELS && !step->point)
		return bitmap_copy(bitmap, source, part);
	if (step->kind == BITMAP_PIXELS) {
		bitmap_point(bitmap, source, part);
		return BITMAP_TAKEN;
	}
	*bitmap = (struct bitmap){
		.kind = BITMAP_SCROLL,
		.rect = step->rect,
		.from_x = step->from_x,
		.from_y = step->from_y,
		.store = source->store,
	};
	return BITMAP_TAKEN;
}

static void step_taken(
	struct send_plan *plan, struct send_step *step, uint32_t rows, uint64_t bytes)
{
	struct sent_area *area = find_area(plan, step->area);
	if (step->again > 0) {
		step->again--;
		return;
	}
	step->bytes -= bytes;
	if (area && !area->begun)
		stats_add(plan->head, STATS_STREAM_STARTS, 1);
	if (area)
		area->begun = true;
	step->rect.y += rows;
	step->rect.height -= rows;
	if (step->rect.height == 0)
		plan->next_step++;
}

enum bitmap_result send_plan_take(struct send_plan *plan, struct bitmap_source *source,
	const struct send_limits *limits, struct bitmap *bitmap)
{
	g_assert(send_plan_has_steps(plan));
	struct send_step *step = &plan->steps[plan->next_step];
	if (has_to_wait(step, limits))
		return BITMAP_BLOCKED;
	struct rect part = upper_part(source->store, step, limits->budget_bytes);
	enum bitmap_result result = make_bitmap(bitmap, source, step, &part);
	if (result != BITMAP_TAKEN)
		return result;
	uint64_t bytes = step->bytes * part.height / step->rect.height;
	bitmap->moving = is_video(step);
	bitmap->estimated_bytes = step->again > 0 ? 0 : bytes;
	plan->whole_held |= step->point && !is_video(step);
	if (plan->next_step == 0)
		stats_frame_begun(plan->head, source->frame->flush_time_ns);
	count_drawable(plan, step, &part);
	step_taken(plan, step, part.height, bytes);
	return result;
}

unsigned send_plan_give_up(struct send_plan *plan, struct rect rects[SEND_STEPS_MAX])
{
	unsigned n = 0;
	for (unsigned i = plan->next_step; i < plan->n_steps; i++) {
		const struct send_step *step = &plan->steps[i];
		struct sent_area *area = find_area(plan, step->area);
		if (area) {
			area->due = true;
			continue;
		}
		if (plan->resume_y == 0 && step->bytes > SMALL_BYTES)
			plan->resume_y = step->rect.y;
		rects[n++] = step->rect;
	}
	drop_steps(plan);
	return n;
}
