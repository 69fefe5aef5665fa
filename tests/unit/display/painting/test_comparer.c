/* SPDX-License-Identifier: MIT */
/*
 * comparer: checks the way from pixels to facts. What differs is named and nothing else, what
 * scrolled and what moves as films do is told, and what was not sent is named again. No drawable is
 * made here.
 */
#include "display/painting/comparer.h"

#include <glib.h>

#include "common/rect.h"

#define WIDTH 800u
#define HEIGHT 600u
#define FRAME_US 16667

static const struct video_wish nothing_drawn = { UINT64_MAX, false };

struct rig {
	uint32_t *pixels;
	struct frame frame;
	struct comparer *comparer;
	struct damage damage;
	struct changes changes;
	struct video_wish wish;
	int64_t now_us;
};

static void look(struct rig *rig, struct rect damaged)
{
	rig->now_us += FRAME_US;
	damage_reset(&rig->damage, WIDTH, HEIGHT);
	damage_add(&rig->damage, &damaged);
	comparer_look(
		rig->comparer, &rig->frame, &rig->damage, rig->now_us, &rig->wish, &rig->changes);
}

static void look_at_all(struct rig *rig)
{
	look(rig, (struct rect){ 0, 0, WIDTH, HEIGHT });
}

static void text(struct rig *rig, struct rect rect, uint32_t seed)
{
	for (uint32_t y = rect.y; y < rect_bottom(&rect); y++) {
		for (uint32_t x = rect.x; x < rect_right(&rect); x++) {
			uint32_t bits =
				(x / 12 * 31 + (y + seed) / 20 * 17 + x * (y + seed)) * 2654435761u;
			bool ink = x % 12 < 4 && (y + seed) % 20 < 12 && bits >> 31;
			rig->pixels[y * WIDTH + x] = ink ? 0xffffff : 0x202020;
		}
	}
}

/* Draws other letters each time, in the same places. */
static void page(struct rig *rig, struct rect rect, uint32_t seed)
{
	for (uint32_t y = rect.y; y < rect_bottom(&rect); y++) {
		for (uint32_t x = rect.x; x < rect_right(&rect); x++) {
			uint32_t bits = (x / 12 * 31 + y / 20 * 17 + seed * 7) * 2654435761u;
			bool ink = x % 12 < 4 && y % 20 < 12 && bits >> 31;
			rig->pixels[y * WIDTH + x] = ink ? 0xffffff : 0x202020;
		}
	}
}

static void film(struct rig *rig, struct rect rect, uint32_t seed)
{
	for (uint32_t y = rect.y; y < rect_bottom(&rect); y++) {
		for (uint32_t x = rect.x; x < rect_right(&rect); x++)
			rig->pixels[y * WIDTH + x] =
				((x + 7 * seed) & 0xff) * 0x010100 + (y & 0xff);
	}
}

static void rig_init(struct rig *rig)
{
	*rig = (struct rig){ .now_us = 1000000, .wish = nothing_drawn };
	rig->pixels = g_new0(uint32_t, WIDTH * HEIGHT);
	rig->frame = (struct frame){ .width = WIDTH,
		.height = HEIGHT,
		.stride_bytes = WIDTH * 4,
		.pixels = (const uint8_t *)rig->pixels };
	rig->comparer = comparer_create(WIDTH, HEIGHT);
	text(rig, (struct rect){ 0, 0, WIDTH, HEIGHT }, 0);
	look_at_all(rig);
}

static void rig_finish(struct rig *rig)
{
	comparer_destroy(rig->comparer);
	g_free(rig->pixels);
}

static bool names(const struct rig *rig, uint32_t x, uint32_t y)
{
	struct rect dot = { x, y, 1, 1 };
	for (unsigned i = 0; i < rig->changes.n_rects; i++) {
		if (rect_contains(&rig->changes.rects[i], &dot))
			return true;
	}
	return false;
}

static void test_names_what_differs(void)
{
	struct rig rig;
	rig_init(&rig);
	g_assert_true(names(&rig, 0, 0) && names(&rig, WIDTH - 1, HEIGHT - 1));
	look_at_all(&rig);
	g_assert_cmpuint(rig.changes.n_rects, ==, 0);
	rig.pixels[77 * WIDTH + 333] ^= 1;
	look_at_all(&rig);
	g_assert_cmpuint(rig.changes.n_rects, ==, 1);
	g_assert_true(names(&rig, 333, 77));
	g_assert_cmpuint(rect_area(&rig.changes.rects[0]), <=, 32);
	rig_finish(&rig);
}

static void test_looks_only_at_damage(void)
{
	struct rig rig;
	rig_init(&rig);
	rig.pixels[77 * WIDTH + 333] ^= 1;
	look(&rig, (struct rect){ 0, 100, WIDTH, 100 });
	g_assert_cmpuint(rig.changes.n_rects, ==, 0);
	look_at_all(&rig);
	g_assert_true(names(&rig, 333, 77));
	rig_finish(&rig);
}

static void test_what_was_not_sent_is_named_again(void)
{
	struct rig rig;
	rig_init(&rig);
	comparer_forget(rig.comparer, &(struct rect){ 64, 50, 32, 10 });
	look_at_all(&rig);
	g_assert_true(names(&rig, 64, 50) && names(&rig, 95, 59));
	g_assert_false(names(&rig, 64, 49) || names(&rig, 96, 50));
	rig_finish(&rig);
}

static void test_scroll(void)
{
	const struct rect page = { 64, 40, 640, 400 };
	struct rig rig;
	rig_init(&rig);
	text(&rig, page, 20);
	look_at_all(&rig);
	g_assert_true(rig.changes.scrolled);
	const struct scroll *scroll = &rig.changes.scroll;
	g_assert_cmpuint(scroll->from_y, ==, scroll->rect.y + 20);
	g_assert_cmpuint(scroll->rect.height, >=, page.height - 40);
	/* What scrolled need not be sent. */
	g_assert_false(names(&rig, 300, scroll->rect.y + 100));
	g_assert_true(names(&rig, 300, page.y + page.height - 15));
	rig_finish(&rig);
}

/* Shows frames until an area lives. Returns how many that took; 0 if none did. */
static unsigned play(
	struct rig *rig, void (*draw)(struct rig *, struct rect, uint32_t), struct rect rect)
{
	for (unsigned i = 1; i < 60; i++) {
		draw(rig, rect, i);
		look_at_all(rig);
		if (rig->changes.n_areas > 0)
			return i;
	}
	return 0;
}

static void test_area_lives_and_ends(void)
{
	const struct rect window = { 203, 101, 400, 300 };
	struct rig rig;
	rig_init(&rig);
	unsigned n = play(&rig, film, window);
	g_assert_cmpuint(n, >, 0);
	const struct moving_area *area = &rig.changes.areas[0];
	unsigned serial = area->serial;
	g_assert_true(rect_equal(&area->rect, &window));
	g_assert_cmpuint(serial, !=, 0);
	/* An area is looked at by itself, so nothing inside it is named. */
	film(&rig, window, n + 1);
	look_at_all(&rig);
	g_assert_true(rig.changes.areas[0].changed);
	g_assert_cmpuint(rig.changes.areas[0].serial, ==, serial);
	g_assert_false(names(&rig, 300, 200));
	/*
	 * An area that stands still and is damaged no more ends, and all of it is to be sent again.
	 */
	unsigned i = 0;
	do {
		rig.now_us += FRAME_US;
		damage_reset(&rig.damage, WIDTH, HEIGHT);
		comparer_look(
			rig.comparer, &rig.frame, &rig.damage, rig.now_us, &rig.wish, &rig.changes);
	} while (rig.changes.n_areas > 0 && ++i < 30);
	g_assert_cmpuint(rig.changes.n_ended, ==, 1);
	g_assert_true(rect_equal(&rig.changes.ended[0], &window));
	g_assert_true(names(&rig, 203, 101) && names(&rig, 602, 400));
	/* The next area has another name. */
	g_assert_cmpuint(play(&rig, film, window), >, 0);
	g_assert_cmpuint(rig.changes.areas[0].serial, >, serial);
	rig_finish(&rig);
}

static void test_wish(void)
{
	const struct rect window = { 192, 96, 384, 320 };
	struct rig rig;
	rig_init(&rig);
	g_assert_cmpuint(play(&rig, page, window), ==, 0);
	rig.wish.drawn_bps_max = 1000000;
	g_assert_cmpuint(play(&rig, page, window), >, 0);
	rig_finish(&rig);
}

static void test_damage_without_comparing(void)
{
	struct damage damage;
	struct changes changes;
	struct frame frame = { .width = WIDTH, .height = HEIGHT };
	damage_reset(&damage, WIDTH, HEIGHT);
	for (uint32_t i = 0; i < CHANGES_RECTS_MAX; i++)
		damage_add(&damage, &(struct rect){ i * 4, i * 2, 3, 1 });
	changes_from_damage(&changes, &frame, &damage);
	g_assert_cmpuint(changes.n_rects, ==, CHANGES_RECTS_MAX);
	g_assert_true(damage_is_empty(&damage));
	for (uint32_t i = 0; i <= CHANGES_RECTS_MAX; i++)
		damage_add(&damage, &(struct rect){ i * 4, i * 2, 3, 1 });
	changes_from_damage(&changes, &frame, &damage);
	g_assert_cmpuint(changes.n_rects, ==, 1);
	g_assert_cmpuint(rect_area(&changes.rects[0]), ==, WIDTH * HEIGHT);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/comparer/names-what-differs", test_names_what_differs);
	g_test_add_func("/comparer/looks-only-at-damage", test_looks_only_at_damage);
	g_test_add_func("/comparer/what-was-not-sent-is-named-again",
		test_what_was_not_sent_is_named_again);
	g_test_add_func("/comparer/scroll", test_scroll);
	g_test_add_func("/comparer/area-lives-and-ends", test_area_lives_and_ends);
	g_test_add_func("/comparer/wish", test_wish);
	g_test_add_func("/comparer/damage-without-comparing", test_damage_without_comparing);
	return g_test_run();
}
