/* SPDX-License-Identifier: MIT */
/*
 * send_plan: checks the way from facts to bitmaps. The facts are written by hand: no frame is
 * compared here, and the frame's pixels say only how large a bitmap will be.
 */
#include "display/painting/send_plan.h"

#include <glib.h>
#include <string.h>

#include "common/rect.h"
#include "tests/unit/display/heads/frames.h"

#define WIDTH 800u
#define HEIGHT 600u
#define BITMAPS_MAX 256u

static const struct send_limits no_limits = { UINT64_MAX, UINT64_MAX, 400000000 };

struct rig {
	struct frames frames;
	struct bitmap_store store;
	struct bitmap_source *source;
	struct send_plan plan;
	struct changes changes;
	struct bitmap bitmaps[BITMAPS_MAX];
	unsigned n_bitmaps;
};

/*
 * Fills the upper half with noise, so that a large rectangle is a large step, and the lower with
 * one colour.
 */
static void rig_init(struct rig *rig)
{
	memset(rig, 0, sizeof(*rig));
	rig->store = (struct bitmap_store){ .width = WIDTH, .height = HEIGHT };
	frames_init(&rig->frames, WIDTH, HEIGHT, WIDTH * 4, true);
	for (size_t i = 0; i < rig->frames.size_bytes / 2; i++)
		rig->frames.memory[i] = (uint8_t)(i * i >> 7);
	rig->source = bitmap_source_create(&rig->store, frames_make(&rig->frames, 0, 1));
	rig->changes.frame = rig->source->frame;
	send_plan_init(&rig->plan, 0);
}

static void rig_finish(struct rig *rig)
{
	for (unsigned i = 0; i < rig->n_bitmaps; i++)
		bitmap_release(&rig->bitmaps[i]);
	bitmap_source_unref(rig->source);
	g_assert_cmpuint(rig->store.copies, ==, 0);
	frames_finish(&rig->frames);
}

static void make(struct rig *rig)
{
	send_plan_make(&rig->plan, rig->source, &rig->changes, &no_limits);
}

/*
 * Takes all bitmaps that it may. Returns the answer that ended it, or TAKEN when nothing is left.
 */
static enum bitmap_result take_all(struct rig *rig, const struct send_limits *limits)
{
	enum bitmap_result result = BITMAP_TAKEN;
	for (unsigned i = 0; i < rig->n_bitmaps; i++)
		bitmap_release(&rig->bitmaps[i]);
	rig->n_bitmaps = 0;
	while (result == BITMAP_TAKEN && send_plan_has_steps(&rig->plan)) {
		g_assert_cmpuint(rig->n_bitmaps, <, BITMAPS_MAX);
		struct bitmap *next = &rig->bitmaps[rig->n_bitmaps];
		result = send_plan_take(&rig->plan, rig->source, limits, next);
		rig->n_bitmaps += result == BITMAP_TAKEN;
	}
	return result;
}

static void add_rect(struct rig *rig, struct rect rect)
{
	rig->changes.rects[rig->changes.n_rects++] = rect;
}

static void set_area(struct rig *rig, unsigned serial, struct rect rect, bool changed)
{
	rig->changes = (struct changes){ .frame = rig->source->frame, .n_areas = 1 };
	rig->changes.areas[0] = (struct moving_area){ serial, rect, changed };
}

static void test_nothing(void)
{
	struct rig rig;
	rig_init(&rig);
	make(&rig);
	g_assert_false(send_plan_has_steps(&rig.plan) || send_plan_has_video(&rig.plan));
	rig_finish(&rig);
}

/*
 * The order is what moved away, small steps, video, and the rest; video is cut out of what is
 * still.
 */
static void test_order(void)
{
	const struct rect film = { 300, 100, 200, 150 }, large = { 200, 50, 300, 200 },
			  letter = { 10, 500, 9, 16 };
	struct rig rig;
	rig_init(&rig);
	set_area(&rig, 1, film, true);
	add_rect(&rig, large);
	add_rect(&rig, letter);
	rig.changes.scrolled = true;
	rig.changes.scroll = (struct scroll){ { 0, 400, WIDTH, 100 }, 420 };
	make(&rig);
	g_assert_cmpint(take_all(&rig, &no_limits), ==, BITMAP_TAKEN);
	g_assert_cmpint(rig.bitmaps[0].kind, ==, BITMAP_SCROLL);
	g_assert_cmpuint(rig.bitmaps[0].from_y, ==, 420);
	g_assert_true(rect_equal(&rig.bitmaps[1].rect, &letter));
	unsigned n_moving = 0;
	uint64_t still_pixels = 0;
	for (unsigned i = 2; i < rig.n_bitmaps; i++) {
		struct rect shared;
		const struct bitmap *bitmap = &rig.bitmaps[i];
		n_moving += bitmap->moving;
		g_assert_true(bitmap->moving == (i < 2 + SEND_STREAM_BURST));
		if (bitmap->moving)
			g_assert_true(rect_equal(&bitmap->rect, &film));
		else
			g_assert_false(rect_intersect(&bitmap->rect, &film, &shared));
		still_pixels += bitmap->moving ? 0 : rect_area(&bitmap->rect);
	}
	g_assert_cmpuint(n_moving, ==, SEND_STREAM_BURST);
	g_assert_cmpuint(still_pixels, ==, rect_area(&large) - rect_area(&film));
	rig_finish(&rig);
}

/* The line is charged for the burst once, and once only; later frames are one bitmap, if any. */
static void test_video(void)
{
	const struct rect film = { 300, 100, 200, 150 };
	struct rig rig;
	uint64_t bytes = 0;
	rig_init(&rig);
	set_area(&rig, 7, film, true);
	make(&rig);
	take_all(&rig, &no_limits);
	for (unsigned i = 0; i < rig.n_bitmaps; i++)
		bytes += rig.bitmaps[i].estimated_bytes;
	g_assert_cmpuint(rig.n_bitmaps, ==, SEND_STREAM_BURST);
	g_assert_cmpuint(bytes, ==, rig.bitmaps[rig.n_bitmaps - 1].estimated_bytes);
	set_area(&rig, 7, film, true);
	make(&rig);
	take_all(&rig, &no_limits);
	g_assert_cmpuint(rig.n_bitmaps, ==, 1);
	set_area(&rig, 7, film, false);
	make(&rig);
	g_assert_false(send_plan_has_steps(&rig.plan));
	g_assert_true(send_plan_has_video(&rig.plan));
	/* The same rectangle by another name begins anew. */
	set_area(&rig, 8, film, false);
	make(&rig);
	take_all(&rig, &no_limits);
	g_assert_cmpuint(rig.n_bitmaps, ==, SEND_STREAM_BURST);
	rig_finish(&rig);
}

static void test_ended_area_goes_in_halves(void)
{
	const struct rect film = { 300, 100, 200, 151 };
	struct rig rig;
	rig_init(&rig);
	rig.changes.n_ended = 1;
	rig.changes.ended[0] = film;
	add_rect(&rig, film);
	make(&rig);
	take_all(&rig, &no_limits);
	g_assert_cmpuint(rig.n_bitmaps, ==, 2);
	g_assert_cmpuint(rig.bitmaps[0].rect.height, ==, 75);
	g_assert_cmpuint(rig.bitmaps[1].rect.y, ==, 175);
	g_assert_cmpuint(rig.bitmaps[1].rect.height, ==, 76);
	rig_finish(&rig);
}

/*
 * When most of the head changed, all of it is sent from where it lies, if the line takes that at
 * once.
 */
static void test_whole(void)
{
	struct rig rig;
	rig_init(&rig);
	add_rect(&rig, (struct rect){ 0, 0, WIDTH, HEIGHT * SEND_WHOLE_PERCENT / 100 });
	make(&rig);
	take_all(&rig, &no_limits);
	g_assert_cmpuint(rig.n_bitmaps, ==, 2);
	g_assert_nonnull(rig.bitmaps[0].source);
	g_assert_cmpuint(rig.bitmaps[1].rect.height, ==, HEIGHT / 2);
	g_assert_true(rig.plan.whole_held);
	const struct send_limits narrow = { 20000, 8192, 400000000 };
	send_plan_make(&rig.plan, rig.source, &rig.changes, &narrow);
	take_all(&rig, &narrow);
	g_assert_cmpuint(rig.n_bitmaps, >, 2);
	g_assert_nonnull(rig.bitmaps[0].copy);
	rig_finish(&rig);
}

static void test_full_line(void)
{
	const struct send_limits full = { 0, 8192, 400000000 }, over = { 0, 0, 400000000 };
	struct rig rig;
	rig_init(&rig);
	add_rect(&rig, (struct rect){ 0, 0, 400, 200 });
	add_rect(&rig, (struct rect){ 10, 500, 9, 16 });
	make(&rig);
	g_assert_cmpint(take_all(&rig, &over), ==, BITMAP_BLOCKED);
	g_assert_cmpuint(rig.n_bitmaps, ==, 0);
	g_assert_cmpint(take_all(&rig, &full), ==, BITMAP_BLOCKED);
	g_assert_cmpuint(rig.n_bitmaps, ==, 1);
	g_assert_cmpuint(rig.bitmaps[0].rect.y, ==, 500);
	rig_finish(&rig);
}

/* What was sent of a large step is not given up, and the next plan goes on where it was left. */
static void test_give_up(void)
{
	const struct rect film = { 600, 400, 128, 96 }, large = { 0, 0, 400, 200 };
	const struct send_limits some = { 50000, 8192, 400000000 }, full = { 0, 0, 400000000 };
	struct rect rects[SEND_STEPS_MAX];
	struct bitmap bitmap;
	struct rig rig;
	rig_init(&rig);
	set_area(&rig, 1, film, true);
	make(&rig);
	take_all(&rig, &no_limits);
	set_area(&rig, 1, film, false);
	add_rect(&rig, large);
	make(&rig);
	g_assert_cmpint(send_plan_take(&rig.plan, rig.source, &some, &bitmap), ==, BITMAP_TAKEN);
	uint32_t sent = bitmap.rect.height;
	bitmap_release(&bitmap);
	g_assert_cmpuint(sent, <, large.height);
	g_assert_cmpuint(send_plan_give_up(&rig.plan, rects), ==, 1);
	g_assert_cmpuint(rects[0].y, ==, sent);
	g_assert_cmpuint(rects[0].height, ==, large.height - sent);
	g_assert_false(send_plan_has_steps(&rig.plan));
	/* Video that was not sent is sent with the next frame, changed or not. */
	set_area(&rig, 1, film, true);
	add_rect(&rig, (struct rect){ 0, 0, 400, sent });
	add_rect(&rig, rects[0]);
	make(&rig);
	g_assert_cmpint(take_all(&rig, &full), ==, BITMAP_BLOCKED);
	g_assert_cmpuint(send_plan_give_up(&rig.plan, rects), ==, 2);
	g_assert_cmpuint(rects[0].y, ==, sent);
	set_area(&rig, 1, film, false);
	make(&rig);
	take_all(&rig, &no_limits);
	g_assert_cmpuint(rig.n_bitmaps, ==, 1);
	g_assert_true(rig.bitmaps[0].moving);
	rig_finish(&rig);
}

static void test_wish(void)
{
	struct send_limits limits = no_limits;
	g_assert_cmpuint(send_plan_wish(&limits).drawn_bps_max, ==, limits.lossless_bps);
	g_assert_false(send_plan_wish(&limits).begin_large);
	limits.lossless_bps = 2000000;
	g_assert_true(send_plan_wish(&limits).begin_large);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/send_plan/nothing", test_nothing);
	g_test_add_func("/send_plan/order", test_order);
	g_test_add_func("/send_plan/video", test_video);
	g_test_add_func("/send_plan/ended-area-goes-in-halves", test_ended_area_goes_in_halves);
	g_test_add_func("/send_plan/whole", test_whole);
	g_test_add_func("/send_plan/full-line", test_full_line);
	g_test_add_func("/send_plan/give-up", test_give_up);
	g_test_add_func("/send_plan/wish", test_wish);
	return g_test_run();
}
