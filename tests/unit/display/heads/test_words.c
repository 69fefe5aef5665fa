/* SPDX-License-Identifier: MIT */
/* words: pictures that say something, of all sizes. */
#include "display/heads/words.h"

#include <glib.h>

#define INK 0xffe8e8e8
#define BACKGROUND 0xff202830

struct found {
	uint32_t n, left, right, top, bottom;
};

static struct found look(const struct frame *frame)
{
	struct found found = { .left = UINT32_MAX, .top = UINT32_MAX };
	for (uint32_t y = 0; y < frame->height; y++) {
		const uint32_t *row = (const void *)(frame->pixels + y * frame->stride_bytes);
		for (uint32_t x = 0; x < frame->width; x++) {
			g_assert_true(row[x] == INK || row[x] == BACKGROUND);
			if (row[x] != INK)
				continue;
			found.n++;
			found.left = MIN(found.left, x);
			found.right = MAX(found.right, x);
			found.top = MIN(found.top, y);
			found.bottom = MAX(found.bottom, y);
		}
	}
	return found;
}

static struct found show(uint32_t width, uint32_t height, const char *text)
{
	struct frame *frame = words_show(1, width, height, text);
	g_assert_nonnull(frame);
	g_assert_cmpuint(frame->head, ==, 1);
	g_assert_cmpuint(frame->width, ==, width);
	g_assert_cmpuint(frame->height, ==, height);
	g_assert_true(frame->whole);
	g_assert_true(frame->serial == UINT64_MAX);
	struct found found = look(frame);
	frame_unref(frame);
	return found;
}

static void test_picture(void)
{
	struct found found = show(1920, 1080, "the guest has powered off");
	g_assert_cmpuint(found.n, >, 1000);
	/* In the middle, and six times as large as its points. */
	g_assert_cmpuint(ABS((int)(found.left + found.right) - 1920), <, 50);
	g_assert_cmpuint(ABS((int)(found.top + found.bottom) - 1080), <, 10);
	g_assert_cmpuint(found.bottom - found.top + 1, ==, 7 * 6);
	struct found letter = show(1920, 1080, "I");
	g_assert_cmpuint(letter.n, ==, 36 * (3 + 5 + 3));
	/* Small and capital ones are the same. */
	g_assert_cmpuint(show(640, 480, "Guest").n, ==, show(640, 480, "gUEST").n);
}

static void test_sizes(void)
{
	static const uint32_t sizes[] = { 1, 2, 5, 6, 7, 8, 13, 40, 100, 333 };
	for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
		for (unsigned j = 0; j < G_N_ELEMENTS(sizes); j++) {
			show(sizes[i], sizes[j], "the guest has powered off");
			show(sizes[i], sizes[j], "x");
			g_assert_cmpuint(show(sizes[i], sizes[j], "").n, ==, 0);
		}
	}
	g_assert_cmpuint(show(100, 100, "\xff\x80\xc1\x01 ").n, ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/words/picture", test_picture);
	g_test_add_func("/words/sizes", test_sizes);
	return g_test_run();
}
