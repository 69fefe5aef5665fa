/* SPDX-License-Identifier: MIT */
/*
 * swapchain: tests a ring of buffers that display may hold. What it holds is not written, and
 * memory has a bound.
 */
#include <glib.h>
#include <string.h>
#include <sys/stat.h>

#include "render/buffers/limits.h"
#include "render/buffers/swapchain.h"

#define W 64
#define H 32
#define BUFFER_BYTES (W * H * 4)

static const struct rect corner = { 1, 2, 3, 4 };

static struct swapchain *make(struct quota *quota)
{
	struct swapchain *picture = swapchain_create(&buffer_memfd, NULL, quota, W, H);
	g_assert_nonnull(picture);
	struct buffer *buffer = swapchain_find_writable(picture);
	swapchain_written(picture, buffer);
	return picture;
}

static void test_locked(void)
{
	struct quota quota = { .limit = 10 * BUFFER_BYTES };
	struct swapchain *picture = make(&quota);
	struct buffer *first = picture->current;
	g_assert_true(swapchain_find_writable(picture) == first);
	first->locked = 1;
	struct buffer *second = swapchain_find_writable(picture);
	g_assert_true(second && second != first);
	/* A new buffer has missed everything. */
	g_assert_cmpuint(second->stale.n_rects, ==, 1);
	g_assert_cmpuint(second->stale.rects[0].width, ==, W);
	swapchain_changed(picture, &corner);
	swapchain_written(picture, second);
	g_assert_true(picture->current == second);
	g_assert_true(rect_set_is_empty(&second->stale));
	g_assert_cmpuint(first->stale.n_rects, ==, 1);
	g_assert_cmpmem(&first->stale.rects[0], sizeof(corner), &corner, sizeof(corner));
	second->locked = 1;
	first->locked = 0;
	g_assert_true(swapchain_find_writable(picture) == first);
	second->locked = 0;
	swapchain_destroy(picture);
	g_assert_cmpuint(quota.used, ==, 0);
}

static void test_quota(void)
{
	struct quota quota = { .limit = 3 * BUFFER_BYTES + 1 };
	struct swapchain *picture = make(&quota);
	for (unsigned i = 0; i < 2; i++) {
		picture->current->locked = 1;
		g_assert_true(swapchain_has_free(picture, 2 - i));
		g_assert_false(swapchain_has_free(picture, 3 - i));
		swapchain_written(picture, swapchain_find_writable(picture));
	}
	picture->current->locked = 1;
	g_assert_false(swapchain_has_free(picture, 1));
	g_assert_null(swapchain_find_writable(picture));
	g_assert_true(picture->starved);
	g_assert_cmpuint(picture->n_buffers, ==, 3);
	picture->buffers[0]->locked = 0;
	g_assert_true(swapchain_find_writable(picture) == picture->buffers[0]);
	for (unsigned i = 0; i < 3; i++)
		picture->buffers[i]->locked = 0;
	swapchain_destroy(picture);
	g_assert_cmpuint(quota.used, ==, 0);
	quota.limit = BUFFER_BYTES - 1;
	g_assert_null(swapchain_create(&buffer_memfd, NULL, &quota, W, H));
	g_assert_cmpuint(quota.used, ==, 0);
}

/* However many buffers display holds, the ring stops growing. */
static void test_longest(void)
{
	struct quota quota = { .limit = 1000 * BUFFER_BYTES };
	struct swapchain *picture = make(&quota);
	for (;;) {
		picture->current->locked = 1;
		struct buffer *buffer = swapchain_find_writable(picture);
		if (!buffer)
			break;
		swapchain_written(picture, buffer);
	}
	g_assert_cmpuint(picture->n_buffers, ==, SWAPCHAIN_BUFFERS_MAX);
	for (unsigned i = 0; i < picture->n_buffers; i++)
		picture->buffers[i]->locked = i % 2;
	struct buffer *current = picture->current;
	swapchain_trim(picture);
	/* Buffers that are locked or current stay. */
	g_assert_cmpuint(picture->n_buffers, ==, SWAPCHAIN_BUFFERS_MAX / 2);
	g_assert_true(picture->current == current);
	g_assert_cmpuint(quota.used, ==, picture->n_buffers * (uint64_t)BUFFER_BYTES);
	for (unsigned i = 0; i < picture->n_buffers; i++)
		picture->buffers[i]->locked = 0;
	swapchain_trim(picture);
	g_assert_cmpuint(picture->n_buffers, ==, 1);
	swapchain_destroy(picture);
}

static struct buffer *make_buffer(uint32_t width, uint32_t height, off_t *size_bytes)
{
	struct stat st;
	struct buffer *buffer = buffer_create(&buffer_memfd, width, height, NULL);
	g_assert_true(buffer && fstat(buffer->fd, &st) == 0);
	*size_bytes = st.st_size;
	/* All of it is there, and black. */
	uint8_t *last = buffer->pixels + buffer->size_bytes - 1;
	g_assert_cmphex(*last, ==, 0);
	*last = 1;
	return buffer;
}

/* What was prepared is the next buffer, if that has about its size, and only that one. */
static void test_prepared(void)
{
	static const struct {
		uint32_t width, height;
		bool fits;
	} rows[] = { { 1920, 1080, true }, { 1600, 901, true }, { 640, 480, false },
		{ 1921, 1080, false } };
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
		off_t own_bytes = (off_t)rows[i].width * rows[i].height * 4, size_bytes;
		buffer_prepare();
		struct buffer *first = make_buffer(rows[i].width, rows[i].height, &size_bytes);
		g_assert_cmpint(size_bytes, ==, rows[i].fits ? PREPARED_BYTES : own_bytes);
		struct buffer *second = make_buffer(rows[i].width, rows[i].height, &size_bytes);
		g_assert_cmpint(size_bytes, ==, own_bytes);
		buffer_unref(first);
		buffer_unref(second);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/swapchain/locked", test_locked);
	g_test_add_func("/swapchain/quota", test_quota);
	g_test_add_func("/swapchain/longest", test_longest);
	g_test_add_func("/buffer/prepared", test_prepared);
	return g_test_run();
}
