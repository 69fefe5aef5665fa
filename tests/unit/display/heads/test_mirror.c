/* SPDX-License-Identifier: MIT */
/*
 * mirror: its copies show what the frames show, also when only parts are copied and when some are
 * kept for long; there is always one more, and none outlives whoever shows it.
 */
#include "display/heads/mirror.h"

#include <drm_fourcc.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "common/rect.h"
#include "common/shm.h"

#define WIDTH 67
#define HEIGHT 41

static uint32_t pixels[HEIGHT][WIDTH];
static struct shared_buffer *buffer;
static uint32_t *memory;

static void ignore(void *user, uint32_t id, uint32_t head, uint64_t serial)
{
}

static void make_buffer(void)
{
	const struct frame_buffer_add add = { .kind = FRAME_BUFFER_MEMFD,
		.width = WIDTH,
		.height = HEIGHT,
		.stride_bytes = sizeof(pixels[0]),
		.fourcc = DRM_FORMAT_XRGB8888,
		.modifier = DRM_FORMAT_MOD_LINEAR,
		.size_bytes = sizeof(pixels) };
	int fd = shm_create("test", sizeof(pixels));
	memory = shm_map(fd, sizeof(pixels), true);
	buffer = shared_buffer_create(&add, fd);
	g_assert_nonnull(buffer);
	close(fd);
}

static void draw(const struct rect *rect)
{
	for (uint32_t y = rect->y; y < rect->y + rect->height; y++) {
		for (uint32_t x = rect->x; x < rect->x + rect->width; x++)
			pixels[y][x] = g_test_rand_int();
	}
	memcpy(memory, pixels, sizeof(pixels));
}

/* Draws there, and gives a copy of the frame that shows it, whose damage is that alone. */
static struct frame *copy(struct mirror *mirror, const struct rect *rect)
{
	struct frame_present present = { .n_rects = 1, .rects[0] = *rect };
	draw(rect);
	struct frame *frame = frame_create(buffer, &present, WIDTH, HEIGHT, ignore, NULL);
	struct frame *copied = mirror_copy(mirror, frame, &present);
	frame_unref(frame);
	return copied;
}

static void expect(const struct frame *frame)
{
	g_assert_nonnull(frame);
	g_assert_cmpuint(frame->width, ==, WIDTH);
	for (unsigned y = 0; y < HEIGHT; y++)
		g_assert_cmpmem(frame->pixels + y * frame->stride_bytes, sizeof(pixels[0]),
			pixels[y], sizeof(pixels[0]));
}

static struct rect any_rect(void)
{
	struct rect rect = { .x = (uint32_t)g_test_rand_int_range(0, WIDTH),
		.y = (uint32_t)g_test_rand_int_range(0, HEIGHT) };
	rect.width = (uint32_t)g_test_rand_int_range(1, WIDTH - (int)rect.x + 1);
	rect.height = (uint32_t)g_test_rand_int_range(1, HEIGHT - (int)rect.y + 1);
	return rect;
}

static void test_copies(void)
{
	struct mirror *mirror = mirror_create();
	struct frame *kept[FRAME_LOCKED_MAX] = { NULL };
	make_buffer();
	for (unsigned i = 0; i < 2000; i++) {
		struct rect rect = any_rect();
		struct frame *copied = copy(mirror, &rect);
		expect(copied);
		unsigned at = (unsigned)g_test_rand_int_range(0, FRAME_LOCKED_MAX);
		frame_unref(kept[at]);
		kept[at] = copied;
		if (i % 500 == 499)
			mirror_trim(mirror);
	}
	g_assert_cmpuint(mirror_bytes(mirror), <=, (FRAME_LOCKED_MAX + 1) * sizeof(pixels));
	mirror_destroy(mirror);
	for (unsigned i = 0; i < FRAME_LOCKED_MAX; i++)
		frame_unref(kept[i]);
	shared_buffer_unref(buffer);
	shm_unmap(memory, sizeof(pixels));
}

/* Whoever keeps all of them gets no more, and holds up nobody. */
static void test_bound(void)
{
	const struct rect all = { 0, 0, WIDTH, HEIGHT };
	struct mirror *mirror = mirror_create();
	struct frame *kept[FRAME_LOCKED_MAX + 1];
	make_buffer();
	for (unsigned i = 0; i < G_N_ELEMENTS(kept); i++)
		g_assert_nonnull(kept[i] = copy(mirror, &all));
	g_assert_null(copy(mirror, &all));
	frame_unref(kept[0]);
	kept[0] = copy(mirror, &(struct rect){ 3, 3, 1, 1 });
	expect(kept[0]);
	for (unsigned i = 0; i < G_N_ELEMENTS(kept); i++)
		frame_unref(kept[i]);
	mirror_destroy(mirror);
	shared_buffer_unref(buffer);
	shm_unmap(memory, sizeof(pixels));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/mirror/copies", test_copies);
	g_test_add_func("/mirror/bound", test_bound);
	return g_test_run();
}
