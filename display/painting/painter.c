/* SPDX-License-Identifier: MIT */
#include "display/painting/painter.h"

#include <string.h>

#include "display/painting/comparer.h"

struct painter *painter_create(struct head *head)
{
	struct painter *painter = g_new0(struct painter, 1);
	painter->head = head;
	send_plan_init(&painter->plan, head->number);
	return painter;
}

/* Keeps the last frame while video goes on, since it is shown without loss when the video ends. */
static void let_go_of_current(struct painter *painter)
{
	if (!send_plan_has_steps(&painter->plan) && !send_plan_has_video(&painter->plan))
		g_clear_pointer(&painter->current, bitmap_source_unref);
}

static void forget(struct painter *painter)
{
	g_clear_pointer(&painter->comparer, comparer_destroy);
	send_plan_forget(&painter->plan);
	let_go_of_current(painter);
}

void painter_destroy(struct painter *painter)
{
	if (!painter)
		return;
	forget(painter);
	g_free(painter);
}

/* ---- looking at a frame ---- */

static void make_plan(struct painter *painter, int64_t now_us, const struct send_limits *limits)
{
	struct changes changes;
	struct video_wish wish = send_plan_wish(limits);
	const struct frame *frame = painter->current->frame;
	if (painter->comparer)
		comparer_look(painter->comparer, frame, &painter->damage, now_us, &wish, &changes);
	else
		changes_from_damage(&changes, frame, &painter->damage);
	send_plan_make(&painter->plan, painter->current, &changes, limits);
	let_go_of_current(painter);
}

/* Makes the steps that were not taken damage of the next frame: the surface does not show them. */
static void give_up_steps(struct painter *painter)
{
	struct rect rects[SEND_STEPS_MAX];
	unsigned n = send_plan_give_up(&painter->plan, rects);
	for (unsigned i = 0; i < n; i++) {
		if (painter->comparer)
			comparer_forget(painter->comparer, &rects[i]);
		damage_add(&painter->damage, &rects[i]);
	}
	g_clear_pointer(&painter->current, bitmap_source_unref);
}

static void begin(struct painter *painter, struct frame *frame, int64_t now_us,
	const struct send_limits *limits)
{
	give_up_steps(painter);
	painter->current = bitmap_source_create(&painter->store, frame);
	make_plan(painter, now_us, limits);
}

/* Plans for the current frame once more: there is no newer one, but a video area may have ended. */
static void look_again(struct painter *painter, int64_t now_us, const struct send_limits *limits)
{
	if (send_plan_has_steps(&painter->plan) || !send_plan_has_video(&painter->plan) ||
		!painter->current)
		return;
	damage_reset(&painter->damage, painter->store.width, painter->store.height);
	make_plan(painter, now_us, limits);
}

/* Copies only the rectangles in use: the list has room for many more. */

static void copy_damage(struct damage *to, const struct damage *from)
{
	damage_reset(to, from->width, from->height);
	to->n_rects = from->n_rects;
	memcpy(to->rects, from->rects, from->n_rects * sizeof(from->rects[0]));
}

/* The caller must hold the head's lock. */
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

/* Notes what has happened to the head since the last time. The caller must hold its lock. */
static void notice(struct painter *painter)
{
	struct head *head = painter->head;
	if (painter->mode != head->mode || head->blank || (!head->watched && painter->comparer)) {
		painter->mode = head->mode;
		forget(painter);
		painter->store.width = head->width;
		painter->store.height = head->height;
	}
	if (head->watched && !painter->comparer && head->newest)
		painter->comparer = comparer_create(head->width, head->height);
}

/* It says what is new at the head. */
struct head_news {
	bool blank;          /* show black */
	struct frame *frame; /* the newest, or NULL */
	bool blocked;        /* there is a frame, but too many buffers are held to take it */
};

static struct head_news look_at_head(struct painter *painter)
{
	struct head *head = painter->head;
	struct head_news news = { 0 };
	g_mutex_lock(&head->lock);
	notice(painter);
	news.blank = head->blank;
	head->blank = false;
	news.blocked = head->newest && !may_hold_one_more(painter);
	if (!news.blank && head->newest && !news.blocked)
		news.frame = take_newest(painter);
	g_mutex_unlock(&head->lock);
	return news;
}

/* ---- taking bitmaps ---- */

static enum bitmap_result take_blank(struct painter *painter, struct bitmap *bitmap)
{
	*bitmap = (struct bitmap){
		.kind = BITMAP_BLACK,
		.rect = { 0, 0, painter->store.width, painter->store.height },
		.store = &painter->store,
	};
	return BITMAP_TAKEN;
}

/* A buffer that a still bitmap holds comes back only when spice-server is asked to draw it. */
static enum bitmap_result wait_for_buffer(struct painter *painter)
{
	struct send_plan *plan = &painter->plan;
	bool starved = send_plan_has_video(plan) && plan->whole_held;
	plan->whole_held &= !starved;
	return starved ? BITMAP_STARVED : BITMAP_BLOCKED;
}

enum bitmap_result painter_take(struct painter *painter, int64_t now_us,
	const struct send_limits *limits, struct bitmap *bitmap)
{
	struct head_news news = look_at_head(painter);
	if (news.blank)
		return take_blank(painter, bitmap);
	if (news.frame)
		begin(painter, news.frame, now_us, limits);
	else
		look_again(painter, now_us, limits);
	if (send_plan_has_steps(&painter->plan)) {
		enum bitmap_result result =
			send_plan_take(&painter->plan, painter->current, limits, bitmap);
		let_go_of_current(painter);
		return result;
	}
	return news.blocked ? wait_for_buffer(painter) : BITMAP_NONE;
}

bool painter_wants_ticks(const struct painter *painter)
{
	return send_plan_has_video(&painter->plan);
}

bool painter_release(struct painter *painter, struct bitmap *bitmap)
{
	struct head *head = painter->head;
	bitmap_release(bitmap);
	g_mutex_lock(&head->lock);
	bool waiting = head->newest != NULL;
	g_mutex_unlock(&head->lock);
	return waiting || send_plan_has_steps(&painter->plan);
}
