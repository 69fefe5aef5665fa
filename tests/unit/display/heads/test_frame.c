/* SPDX-License-Identifier: MIT */
/* frame: checks that what a renderer says about its buffers is believed only as far as it fits. */
#include "display/heads/frame.h"

#include <drm_fourcc.h>
#include <glib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/shm.h"

static unsigned n_released;

static void on_released(void *user, uint32_t buffer, uint32_t head, uint64_t serial)
{
	n_released++;
	g_assert_cmpuint(buffer, ==, 5);
	g_assert_cmpuint(head, ==, 1);
	g_assert_cmpuint(serial, ==, 9);
}

static struct frame_buffer_add valid(void)
{
	return (struct frame_buffer_add){
		.buffer = 5,
		.kind = FRAME_BUFFER_MEMFD,
		.width = 64,
		.height = 32,
		.stride_bytes = 64 * 4 + 16,
		.fourcc = DRM_FORMAT_XRGB8888,
		.modifier = DRM_FORMAT_MOD_LINEAR,
		.offset_bytes = 8,
		.size_bytes = 8 + 31 * (64 * 4 + 16) + 64 * 4,
	};
}

static bool accepts(const struct frame_buffer_add *add, size_t real_size_bytes)
{
	int fd = shm_create("test", real_size_bytes);
	struct shared_buffer *buffer = shared_buffer_create(add, fd);
	bool accepted = buffer != NULL;
	shared_buffer_unref(buffer);
	close(fd);
	return accepted;
}

static void test_buffer(void)
{
	struct frame_buffer_add add = valid();
	g_assert_true(accepts(&add, add.size_bytes));
	g_assert_false(accepts(&add, add.size_bytes - 1));
#define REFUSES(field, value)                                                                      \
	add = valid();                                                                             \
	add.field = value;                                                                         \
	g_assert_false(accepts(&add, valid().size_bytes))
	REFUSES(kind, FRAME_BUFFER_DMABUF);
	REFUSES(kind, 0);
	REFUSES(fourcc, DRM_FORMAT_RGB565);
	REFUSES(modifier, DRM_FORMAT_MOD_INVALID);
	REFUSES(width, 0);
	REFUSES(width, 65 + 16 / 4);
	REFUSES(width, UINT32_MAX);
	REFUSES(height, 0);
	REFUSES(height, 33);
	REFUSES(height, UINT32_MAX);
	REFUSES(stride_bytes, 0);
	REFUSES(stride_bytes, 64 * 4 - 4);
	REFUSES(stride_bytes, 64 * 4 + 18);
	REFUSES(stride_bytes, UINT32_MAX - 3);
	REFUSES(offset_bytes, 12);
	REFUSES(offset_bytes, 6);
	REFUSES(offset_bytes, UINT64_MAX - 7);
	REFUSES(size_bytes, valid().size_bytes - 1);
	REFUSES(size_bytes, valid().size_bytes + 1);
	REFUSES(size_bytes, UINT64_MAX);
#undef REFUSES
}

static void test_unsealed(void)
{
	struct frame_buffer_add add = valid();
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	g_assert_cmpint(ftruncate(fd, (off_t)add.size_bytes), ==, 0);
	g_assert_null(shared_buffer_create(&add, fd));
	close(fd);
}

static struct frame *frame_at(
	struct shared_buffer *buffer, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	struct frame_present message = { .head = 1, .serial = 9, .source_x = x, .source_y = y };
	return frame_create(buffer, &message, width, height, on_released, NULL);
}

static void test_source(void)
{
	struct frame_buffer_add add = valid();
	int fd = shm_create("test", add.size_bytes);
	struct shared_buffer *buffer = shared_buffer_create(&add, fd);
	close(fd);
	g_assert_null(frame_at(buffer, 0, 0, 65, 32));
	g_assert_null(frame_at(buffer, 1, 0, 64, 32));
	g_assert_null(frame_at(buffer, 0, 1, 64, 32));
	g_assert_null(frame_at(buffer, UINT32_MAX, 0, 64, 32));
	g_assert_null(frame_at(buffer, UINT32_MAX - 1, UINT32_MAX, 2, 2));
	g_assert_cmpuint(n_released, ==, 0);

	struct frame *frame = frame_at(buffer, 60, 30, 4, 2);
	g_assert_nonnull(frame);
	/* The last row ends with the object, so nothing behind it may be read. */
	g_assert_false(frame->whole);
	shared_buffer_unref(buffer);
	/* The mapping lives as long as the frame. */
	volatile uint8_t last = frame->pixels[frame->stride_bytes + 4 * 4 - 1];
	g_assert_cmpuint(last, ==, 0);
	frame_unref(frame_ref(frame));
	g_assert_cmpuint(n_released, ==, 0);
	frame_unref(frame);
	g_assert_cmpuint(n_released, ==, 1);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_log_set_always_fatal(G_LOG_FATAL_MASK);
	g_test_add_func("/frame/buffer", test_buffer);
	g_test_add_func("/frame/unsealed", test_unsealed);
	g_test_add_func("/frame/source", test_source);
	return g_test_run();
}
