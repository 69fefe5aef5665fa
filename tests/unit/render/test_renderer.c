/* SPDX-License-Identifier: MIT */
/* vitrine-render as a whole, driven over the keeper link: see rig.h. */
#include <string.h>

#include "rig.h"

#define OK VIRTIO_GPU_RESP_OK_NODATA
#define W 640
#define H 480

static const struct virtio_gpu_rect whole = { 0, 0, W, H };

static void fill(struct rig *rig, uint64_t addr, uint32_t seed)
{
	uint32_t *p = rig_host(rig, addr);
	for (uint32_t i = 0; i < W * H; i++)
		p[i] = (i * 2654435761u) ^ seed;
}

static void show_2d(struct rig *rig, uint32_t id, uint32_t format, uint64_t addr)
{
	g_assert_cmphex(rig_create_2d(rig, id, format, W, H), ==, OK);
	g_assert_cmphex(rig_attach(rig, id, addr, W * H * 4, 4096), ==, OK);
	g_assert_cmphex(rig_set_scanout(rig, 0, id, W, H), ==, OK);
	g_assert_cmphex(rig_transfer_2d(rig, id, W, whole), ==, OK);
	g_assert_cmphex(rig_flush(rig, id, whole), ==, OK);
}

static void assert_picture(struct rig *rig, uint64_t addr)
{
	const uint32_t *p = rig_host(rig, addr);
	for (uint32_t y = 0; y < H; y++)
		for (uint32_t x = 0; x < W; x++)
			g_assert_cmphex(rig_pixel(rig, x, y), ==, p[y * W + x] & 0xffffff);
}

static void test_first_picture(void)
{
	struct rig *rig = rig_start(false);
	g_assert_nonnull(rig);
	rig_set_rate(rig, 0, 60000);
	fill(rig, RIG_HIGH_ADDR, 1);
	show_2d(rig, 5, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, RIG_HIGH_ADDR);
	g_assert_true(rig_wait_frames(rig, 1));
	g_assert_true(rig->head_is_on[0]);
	g_assert_cmpuint(rig->head_on[0].width, ==, W);
	assert_picture(rig, RIG_HIGH_ADDR);
	rig_stop(rig);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/render/first-picture", test_first_picture);
	return g_test_run();
}
