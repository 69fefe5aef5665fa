/* SPDX-License-Identifier: MIT */
/*
 * bitmap: checks that copies hold the right pixels and stay within the store's bounds, that each
 * bound says STARVED once, and that what lies in render's buffer is shown there only if all its
 * rows are mapped.
 */
#include "display/painting/bitmap.h"

#include <glib.h>
#include <string.h>

#include "tests/unit/display/heads/frames.h"

#define WIDTH 640u
#define HEIGHT 480u

struct rig {
	struct frames frames;
	struct bitmap_store store;
	struct bitmap_source *source;
};

static void rig_init(struct rig *rig, uint32_t stride_bytes, bool tail)
{
	*rig = (struct rig){ .store = { .width = WIDTH, .height = HEIGHT } };
	frames_init(&rig->frames, WIDTH, HEIGHT, stride_bytes, tail);
	for (size_t i = 0; i < rig->frames.size_bytes; i++)
		rig->frames.memory[i] = (uint8_t)(i * i >> 7);
	rig->source = bitmap_source_create(&rig->store, frames_make(&rig->frames, 0, 1));
}

static void rig_finish(struct rig *rig)
{
	bitmap_source_unref(rig->source);
	g_assert_cmpuint(rig->store.sources, ==, 0);
	g_assert_cmpuint(rig->store.copies, ==, 0);
	g_assert_cmpuint(rig->store.heap_bytes, ==, 0);
	frames_finish(&rig->frames);
}

static const uint8_t *guest_row(const struct rig *rig, const struct bitmap *bitmap, uint32_t row)
{
	return rig->frames.memory + (size_t)(bitmap->rect.y + row) * rig->frames.stride_bytes +
	       bitmap->rect.x * 4;
}

static void expect_pixels(const struct rig *rig, const struct bitmap *bitmap)
{
	for (uint32_t row = 0; row < bitmap->rect.height; row++)
		g_assert_cmpmem(bitmap->pixels + (size_t)row * bitmap->stride_bytes,
			bitmap->rect.width * 4, guest_row(rig, bitmap, row),
			bitmap->rect.width * 4);
}

static void test_copy(void)
{
	struct rig rig;
	struct bitmap bitmap;
	const struct rect rects[] = { { 0, 0, WIDTH, 100 }, { WIDTH - 1, HEIGHT - 1, 1, 1 },
		{ 17, 5, 33, 61 } };
	rig_init(&rig, WIDTH * 4 + 64, false);
	for (unsigned i = 0; i < G_N_ELEMENTS(rects); i++) {
		g_assert_cmpint(bitmap_copy(&bitmap, rig.source, &rects[i]), ==, BITMAP_TAKEN);
		expect_pixels(&rig, &bitmap);
		g_assert_cmpuint(bitmap.stride_bytes, ==, rects[i].width * 4);
		g_assert_cmpuint(rig.store.heap_bytes, ==, bitmap.copy_bytes);
		bitmap_release(&bitmap);
	}
	rig_finish(&rig);
}

/* A copy does not keep render's buffer; a bitmap that points into it does. */
static void test_who_keeps_the_buffer(void)
{
	struct rig rig;
	struct bitmap copy, pointer;
	struct rect all = { 0, 0, WIDTH, HEIGHT }, part = { 1, 1, 8, 8 };
	rig_init(&rig, WIDTH * 4, true);
	g_assert_true(bitmap_can_point(rig.source, &all));
	bitmap_point(&pointer, rig.source, &all);
	g_assert_cmpint(bitmap_copy(&copy, rig.source, &part), ==, BITMAP_TAKEN);
	bitmap_source_unref(rig.source);
	rig.source = NULL;
	g_assert_cmpuint(frames_held(&rig.frames), ==, 1);
	g_assert_cmpuint(rig.store.sources, ==, 1);
	expect_pixels(&rig, &pointer);
	bitmap_release(&pointer);
	g_assert_cmpuint(frames_held(&rig.frames), ==, 0);
	expect_pixels(&rig, &copy);
	bitmap_release(&copy);
	rig_finish(&rig);
}

/*
 * The last row's bytes behind its pixels may be missing. So only those rows are all mapped that
 * begin at the left edge or end before the last row.
 */
static void test_can_point(void)
{
	struct rig rig;
	const struct rect all = { 0, 0, WIDTH, HEIGHT }, upper = { 8, 0, 16, HEIGHT - 1 },
			  last = { 8, HEIGHT - 1, 16, 1 };
	rig_init(&rig, WIDTH * 4, true);
	g_assert_true(bitmap_can_point(rig.source, &all));
	g_assert_true(bitmap_can_point(rig.source, &upper));
	g_assert_false(bitmap_can_point(rig.source, &last));
	rig_finish(&rig);
	rig_init(&rig, WIDTH * 4 + 64, false);
	g_assert_false(bitmap_can_point(rig.source, &all));
	g_assert_false(bitmap_can_point(rig.source, &upper));
	rig_finish(&rig);
}

static unsigned copy_until_full(
	struct rig *rig, const struct rect *rect, struct bitmap *held, unsigned n_max)
{
	enum bitmap_result result = BITMAP_TAKEN;
	unsigned n = 0;
	while (n < n_max && (result = bitmap_copy(&held[n], rig->source, rect)) == BITMAP_TAKEN)
		n++;
	g_assert_cmpint(result, ==, BITMAP_STARVED);
	/* The answer is STARVED only once, until something comes back. */
	g_assert_cmpint(bitmap_copy(&held[n], rig->source, rect), ==, BITMAP_BLOCKED);
	bitmap_release(&held[--n]);
	g_assert_cmpint(bitmap_copy(&held[n], rig->source, rect), ==, BITMAP_TAKEN);
	return n + 1;
}

static void release_all(struct bitmap *held, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		bitmap_release(&held[i]);
}

static void test_count_is_bounded(void)
{
	static struct bitmap held[BITMAP_COPIES_MAX + 2];
	struct rig rig;
	struct rect dot = { 3, 3, 1, 1 };
	rig_init(&rig, WIDTH * 4, true);
	unsigned n = copy_until_full(&rig, &dot, held, G_N_ELEMENTS(held) - 1);
	g_assert_cmpuint(n, ==, BITMAP_COPIES_MAX);
	g_assert_cmpuint(rig.store.copies, ==, BITMAP_COPIES_MAX);
	release_all(held, n);
	rig_finish(&rig);
}

static void test_heap_is_bounded(void)
{
	static struct bitmap held[BITMAP_COPIES_MAX + 2];
	struct rig rig;
	rig_init(&rig, WIDTH * 4, true);
	uint64_t pixels_max = bitmap_copy_pixels_max(&rig.store);
	struct rect largest = { 0, 0, WIDTH, (uint32_t)MIN(pixels_max / WIDTH, HEIGHT) };
	unsigned n = copy_until_full(&rig, &largest, held, G_N_ELEMENTS(held) - 1);
	g_assert_cmpuint(n, >=, 4);
	g_assert_cmpuint(n, <, BITMAP_COPIES_MAX);
	g_assert_cmpuint(rig.store.heap_bytes, <=, BITMAP_HEAP_MIN);
	release_all(held, n);
	rig_finish(&rig);
}

/*
 * The heap holds three frames of the head, but no less than BITMAP_HEAP_MIN and no more than
 * BITMAP_HEAP_MAX; a copy may take a quarter of that.
 */
static void test_heap_by_size(void)
{
	const struct {
		uint32_t width, height;
		uint64_t heap_bytes;
	} rows[] = {
		{ 1, 1, BITMAP_HEAP_MIN },
		{ 1920, 1080, 3u * 1920 * 1080 * 4 },
		{ 3840, 2160, BITMAP_HEAP_MAX },
		{ FRAME_SIZE_MAX, FRAME_SIZE_MAX, BITMAP_HEAP_MAX },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct bitmap_store store = { .width = rows[i].width, .height = rows[i].height };
		g_assert_cmpuint(bitmap_copy_pixels_max(&store), ==, rows[i].heap_bytes / 4 / 4);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/bitmap/copy", test_copy);
	g_test_add_func("/bitmap/who-keeps-the-buffer", test_who_keeps_the_buffer);
	g_test_add_func("/bitmap/can-point", test_can_point);
	g_test_add_func("/bitmap/count-is-bounded", test_count_is_bounded);
	g_test_add_func("/bitmap/heap-is-bounded", test_heap_is_bounded);
	g_test_add_func("/bitmap/heap-by-size", test_heap_by_size);
	return g_test_run();
}
