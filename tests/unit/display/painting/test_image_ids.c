/* SPDX-License-Identifier: MIT */
/*
 * image_ids: checks that one bitmap gets one number and another bitmap another, and that there are
 * not too many.
 */
#include "display/painting/image_ids.h"

#include <glib.h>
#include <string.h>

#define SAMPLE 200000u

struct small {
	struct bitmap bitmap;
	uint32_t pixels[IMAGE_IDS_PIXELS_MAX];
};

static void small_init(struct small *small, uint32_t width, uint32_t height, uint32_t seed)
{
	memset(small, 0, sizeof(*small));
	if (width * height <= IMAGE_IDS_PIXELS_MAX)
		small->pixels[seed % (width * height)] = seed;
	small->bitmap.rect = (struct rect){ 3, 4, width, height };
	small->bitmap.copy = (uint8_t *)small->pixels;
	small->bitmap.copy_bytes = (size_t)width * height * 4;
}

static void test_same_and_not(void)
{
	struct image_ids ids = { 0 }, other_head = { .head = 1 };
	struct small small;
	uint64_t first, id;
	small_init(&small, 8, 16, 7);
	g_assert_true(image_ids_find(&ids, &small.bitmap, &first));
	small.bitmap.rect.x = 500;
	g_assert_true(image_ids_find(&ids, &small.bitmap, &id));
	g_assert_cmpuint(id, ==, first);
	g_assert_true(image_ids_find(&other_head, &small.bitmap, &id));
	g_assert_cmpuint(id, !=, first);
	small.bitmap.rect.width = 16;
	small.bitmap.rect.height = 8;
	g_assert_true(image_ids_find(&ids, &small.bitmap, &id));
	g_assert_cmpuint(id, !=, first);
	image_ids_clear(&ids);
	image_ids_clear(&other_head);
}

/* The bitmaps differ in a pixel or two, in many sizes. */
static void test_no_two_share_one(void)
{
	struct image_ids ids = { 0 };
	g_autoptr(GHashTable) all =
		g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	for (uint32_t i = 0; i < SAMPLE; i++) {
		struct small small;
		uint64_t id;
		if (i % 1000 == 0)
			image_ids_clear(&ids);
		small_init(&small, 1 + i % 12, 1 + i % 17, i);
		g_assert_true(image_ids_find(&ids, &small.bitmap, &id));
		g_assert_true(g_hash_table_add(all, g_memdup2(&id, sizeof(id))));
	}
	image_ids_clear(&ids);
}

static void test_what_has_none(void)
{
	struct image_ids ids = { 0 }, high = { .head = IMAGE_IDS_HEADS };
	struct small small;
	uint64_t id;
	small_init(&small, 8, 16, 7);
	g_assert_false(image_ids_find(&high, &small.bitmap, &id));
	small.bitmap.moving = true;
	g_assert_false(image_ids_find(&ids, &small.bitmap, &id));
	small_init(&small, 33, 32, 7);
	g_assert_false(image_ids_find(&ids, &small.bitmap, &id));
	small_init(&small, 8, 16, 7);
	small.bitmap.copy = NULL;
	g_assert_false(image_ids_find(&ids, &small.bitmap, &id));
}

/*
 * Bitmaps that come once take half of the numbers, those that come again the rest; after that each
 * keeps the number it has.
 */
static void test_bound(void)
{
	struct image_ids ids = { 0 };
	struct small small;
	uint64_t id;
	unsigned n = 0;
	for (uint32_t i = 0; i < 4 * IMAGE_IDS_MAX; i++) {
		small_init(&small, 8, 16, i);
		n += image_ids_find(&ids, &small.bitmap, &id);
	}
	g_assert_cmpuint(n, ==, IMAGE_IDS_MAX / 2);
	for (uint32_t i = 0; i < 4 * IMAGE_IDS_MAX; i++) {
		small_init(&small, 8, 16, 1000000 + i);
		g_assert_false(image_ids_find(&ids, &small.bitmap, &id));
		n += image_ids_find(&ids, &small.bitmap, &id);
	}
	g_assert_cmpuint(n, ==, IMAGE_IDS_MAX);
	g_assert_cmpuint(ids.n, ==, IMAGE_IDS_MAX);
	small_init(&small, 8, 16, 0);
	g_assert_true(image_ids_find(&ids, &small.bitmap, &id));
	image_ids_clear(&ids);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/image-ids/same-and-not", test_same_and_not);
	g_test_add_func("/image-ids/no-two-share-one", test_no_two_share_one);
	g_test_add_func("/image-ids/what-has-none", test_what_has_none);
	g_test_add_func("/image-ids/bound", test_bound);
	return g_test_run();
}
