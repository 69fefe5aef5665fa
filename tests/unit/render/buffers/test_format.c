/* SPDX-License-Identifier: MIT */
#include <glib.h>
#include <linux/virtio_gpu.h>
#include <string.h>

#include "render/buffers/format.h"

/* Each row says the same colour in another format. */
static void test_formats(void)
{
	static const struct {
		uint32_t format;
		uint8_t bytes[4];
		uint8_t alpha;
	} colours[] = {
		{ VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, { 1, 2, 3, 4 }, 4 },
		{ VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, { 1, 2, 3, 9 }, 9 },
		{ VIRTIO_GPU_FORMAT_A8R8G8B8_UNORM, { 4, 3, 2, 1 }, 4 },
		{ VIRTIO_GPU_FORMAT_X8R8G8B8_UNORM, { 9, 3, 2, 1 }, 255 },
		{ VIRTIO_GPU_FORMAT_R8G8B8A8_UNORM, { 3, 2, 1, 4 }, 4 },
		{ VIRTIO_GPU_FORMAT_X8B8G8R8_UNORM, { 9, 1, 2, 3 }, 255 },
		{ VIRTIO_GPU_FORMAT_A8B8G8R8_UNORM, { 4, 1, 2, 3 }, 4 },
		{ VIRTIO_GPU_FORMAT_R8G8B8X8_UNORM, { 3, 2, 1, 9 }, 255 },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(colours); i++) {
		uint8_t pixels[8], expected[4] = { 1, 2, 3, colours[i].alpha };
		memcpy(pixels, colours[i].bytes, 4);
		memcpy(pixels + 4, colours[i].bytes, 4);
		g_assert_true(format_is_known(colours[i].format));
		format_convert(colours[i].format, pixels, 2);
		g_assert_cmpmem(pixels, 4, expected, 4);
		g_assert_cmpmem(pixels + 4, 4, expected, 4);
	}
	g_assert_false(format_is_known(0));
	g_assert_false(format_is_known(5));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/format/convert", test_formats);
	return g_test_run();
}
